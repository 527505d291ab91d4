"""A sync that is killed while it loads into a lake that many write: the next one puts it right."""

import time
from pathlib import Path

from event_assets import warehouse
from event_assets_tests.faults.killing import PAGES, Killed, driver, generation, waited_for
from event_assets_tests.scale.destinations import ducklake
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Sandbox

KILLS = 8


def versions() -> dict[str, int]:
    with warehouse.connect() as database:
        rows = database.sql("select id, version from events.event_data").fetchall()
    assert len(rows) == len(dict(rows)), "doubled"
    return dict(rows)


def test_a_sync_killed_while_it_loads_does_no_harm(
    project: Project, postgres: Postgres, tmp_path: Path
) -> None:
    for variable, value in ducklake(postgres, tmp_path).items():
        project.environment.setenv(variable, value)
    with Sandbox(generation(0)) as api:
        project.connect_to(api.url)
        killed = Killed(project, api, tmp_path)

        def all_is_read() -> float:
            waited_for(lambda: len(api.requests) >= PAGES)
            return time.monotonic()

        with driver(killed) as runs:
            for _ in range(2):  # the first one of a process is slower
                killed.next_generation()
                runs.start()
                read = all_is_read()
                runs.finish()
                lasts = time.monotonic() - read
                killed.good = versions()
                assert killed.good == killed.expected
            for number in range(KILLS):
                killed.next_generation()
                runs.start()
                all_is_read()
                time.sleep(lasts * (number + 0.5) / KILLS)
                runs.kill()
                assert versions() in (killed.good, killed.expected)
                runs.start()
                runs.finish()
                killed.good = versions()
                assert killed.good == killed.expected
