"""How records come into dlt's files."""

import logging

import pytest

from event_assets.orchestration.error_messages import user_message
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import source_of, sync_source
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]
ROWS = [{**event, "tags": ["a list"], "size": 1.5} for event in events(3)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEV_MODE", "true"),
        ("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "false"),
        ("NORMALIZE__WORKERS", "0"),
        ("DATA_WRITER__VERSION", "9.9"),
        ("PROGRESS", "a lot"),
    ],
)
def test_a_setting_of_dlt_that_other_pipelines_need_changes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with serving({"/v1/events": paged(ROWS)}) as api:
        sync_source(source_of(source(api.url)))
    assert len(project.ids()) == len(ROWS)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("EXTRACT__WORKERS", "A setting of dlt, `workers`, is not of its type: correct it."),
        (
            "RUNTIME__LOG_LEVEL",
            "Unknown level: 'NOPE': correct RUNTIME__LOG_LEVEL, or `log_level` in "
            ".dlt/config.toml.",
        ),
    ],
)
def test_a_setting_of_dlt_that_cannot_be_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.setenv(name, "nope")
    with serving({"/v1/events": paged(ROWS)}) as api, pytest.raises(Exception) as failed:  # noqa: PT011 (of dlt)
        sync_source(source_of(source(api.url)))
    assert user_message(failed.value) == told


def test_dlt_warns_of_no_column_whose_type_arrow_does_not_tell(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "INFO")
    logger = logging.getLogger("dlt")
    logger.addHandler(caplog.handler)
    try:
        with serving({"/v1/events": paged(ROWS)}) as api:
            sync_source(source_of(source(api.url)))
    finally:
        logger.removeHandler(caplog.handler)
    levels = {record.levelno for record in caplog.records if record.name == "dlt"}
    assert logging.INFO in levels
    assert logging.WARNING not in levels
