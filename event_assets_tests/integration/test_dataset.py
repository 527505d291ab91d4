"""The tables through dlt's own read API."""

from pathlib import Path

import dlt
from dlt.destinations import duckdb

from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Sandbox

DATASET = "events"


def test_a_dataset_reads_the_events(project: Project, api: Sandbox) -> None:
    assert project.sync(url=api.url).success
    dataset = dlt.dataset(duckdb(str(project.database)), DATASET)
    ids = dataset("select id from event_data order by id limit 2").fetchall()
    assert [id for (id,) in ids] == sorted(api.ids())[:2]


def test_the_dataset_of_a_pipeline_reads_the_events(
    project: Project, api: Sandbox, tmp_path: Path
) -> None:
    assert project.sync(url=api.url).success
    pipeline = dlt.pipeline(
        "reader",
        pipelines_dir=str(tmp_path / "dlt"),
        destination=duckdb(str(project.database)),
        dataset_name=DATASET,
    )
    pipeline.sync_destination()
    named = pipeline.dataset().event_data.where("name is not null").select("id", "name")
    assert len(named.fetchall()) == 250
