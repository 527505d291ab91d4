"""The built-in sandbox in each of its fault modes as cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from bench.connect.case import Event, Given, Served
from event_assets_tests.support.sandbox import KEY, Faults, Sandbox

FAULTS: Mapping[str, Faults] = {
    "none": Faults(),
    "latency": Faults(latency=0.05),
    "fail_every": Faults(fail_every=5, retry_after=0),
    "fail_first": Faults(fail_first=2, retry_after=0),
    "fail_status": Faults(fail_every=7, fail_status=500, retry_after=0),
    "retry_after": Faults(fail_every=6, retry_after=1),
    "rate_limit": Faults(rate_limit=10, retry_after=1),
    "page_cap": Faults(page_cap=50),
    "total=none": Faults(total="none"),
    "total=page": Faults(total="page"),
    "total=nested": Faults(total="nested"),
    "total=+7": Faults(total=7),
    "total=-30": Faults(total=-30),
    "delete_every": Faults(delete_every=3),
    "insert_every": Faults(insert_every=3),
    "null_id_every": Faults(null_id_every=40),
    "missing_id_every": Faults(missing_id_every=40),
    "bad_start_every": Faults(bad_start_every=40),
    "broken_json_every": Faults(broken_json_every=5),
    "html_every": Faults(html_every=5),
    "null_data_every": Faults(null_data_every=5),
    "missing_data_every": Faults(missing_data_every=5),
    "reset_every": Faults(reset_every=5),
    "ignore_offset": Faults(ignore_offset=True),
    "empty_page_at": Faults(empty_page_at=200),
    "ignore_key": Faults(ignore_key=True),
    "echo_key": Faults(echo_key=True),
    "page_cap, total=none": Faults(page_cap=50, total="none"),
    "delete_every, insert_every": Faults(delete_every=3, insert_every=4),
}


@contextmanager
def serve_sandbox(faults: Faults) -> Iterator[Served]:
    with Sandbox(437, faults=replace(faults)) as api:
        api.begin_phase()
        yield Served(
            Given(f"{api.url}/v1/events", [KEY]),
            lambda: {id_: Event() for id_ in api.present_throughout()},
            lambda: len(api.requests),
            {"path": f"{api.url}/v1/events"},
            {"type": "api_key", "name": "api_key", "api_key": KEY, "location": "query"},
            is_exact=False,
        )
