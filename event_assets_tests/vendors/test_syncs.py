"""Every example, as it stands, syncs a server that speaks its platform's protocol."""

from datetime import datetime
from typing import Any

import pytest

from event_assets_tests.conftest import Project, checks, failure
from event_assets_tests.vendors.examples import EXAMPLES, sync
from event_assets_tests.vendors.records import MAKERS, at
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import VENDORS

COUNT = 130


def started(number: int, hours: int = 0) -> datetime:
    return at(number, hours)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_sync(project: Project, name: str) -> None:
    rows = [MAKERS[name](n) for n in range(COUNT)]
    with serve(VENDORS[name], rows) as api:
        result = sync(project, name, api.url)
        for r in api.asked: print(r.url)
    assert result.success, failure(result)
    for k, c in checks(result).items(): print(k, c.passed, c.description)
    print(project.rows(f"select * exclude (_dlt_load_id) from {name}.event_data order by start_time limit 3"))
    print(project.rows(f"select column_name, data_type from information_schema.columns where table_schema='{name}' and table_name='event_data'"))
    print(project.rows(f"select count(*) from {name}.event_data"))
    assert 0
