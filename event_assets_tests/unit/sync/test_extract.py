"""How records come into dlt's files."""

import logging
from collections.abc import Iterator

import pytest

from event_assets.orchestration.error_messages import user_message
from event_assets_tests.support.accounts import serving_accounts, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import source_of, sync_accounts, sync_source
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

pytestmark = [pytest.mark.in_process, pytest.mark.usefixtures("project")]
ROWS = [{**event, "tags": ["a list"], "size": 1.5} for event in events(3)]
Log = pytest.LogCaptureFixture


@pytest.fixture
def dlt_log(monkeypatch: pytest.MonkeyPatch, caplog: Log) -> Iterator[Log]:
    """Record what dlt logs of its work."""
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "INFO")
    logger = logging.getLogger("dlt")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def files_of_events(log: Log) -> list[bool]:
    """Return of each file of events whether dlt took it over as it was."""
    messages = {text for text in log.messages if text.startswith("Table event_data parquet file")}
    log.clear()
    return ["will be directly imported" in text for text in messages]


def test_dlt_writes_no_file_twice(dlt_log: Log) -> None:
    with serving({"/v1/events": paged(ROWS)}) as api:
        for _ in range(2):
            sync_source(source_of(source(api.url)))
            assert files_of_events(dlt_log) == [True]


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


def test_dlt_writes_no_file_of_an_account_twice(dlt_log: Log) -> None:
    with serving_accounts({"a": ROWS}) as api:
        sync_accounts(source_of(with_accounts(api.url, ["a"])), "a")
    assert files_of_events(dlt_log) == [True]
