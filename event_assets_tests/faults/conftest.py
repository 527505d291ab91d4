"""Harm really done, counted: the table at the end says what survived what."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from event_assets_tests.faults.killing import Killed, generation
from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.project import BIN, Project
from event_assets_tests.support.sandbox import Faults, Sandbox

HEAD = ("fault", "tries", "survived", "events lost", "events doubled")


@pytest.fixture
def tries(record_property: Callable[[str, object], None]) -> Iterator[Tries]:
    """Counts what a test does; the test fails in the end if one try did not survive."""
    all_of_them = Tries(record_property)
    yield all_of_them
    problems = [f"{this.fault}: {this.problem}" for this in all_of_them.done if this.problem]
    assert all_of_them.done
    assert not problems, "\n".join(problems)


@pytest.fixture
def here(project: Project, clone: Path) -> Path:
    """A copy of the project with its environment, where commands are run."""
    environment = clone / ".venv"
    environment.mkdir()  # of links to the parts of the real one, which none can then clear
    for part in BIN.parent.iterdir():
        (environment / part.name).symlink_to(part)
    project.environment.setenv("EVENTS_DUCKDB", str(clone / "data" / "warehouse.duckdb"))
    return clone


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits for the clock, so that all else is done meanwhile."""
    items.sort(key=lambda item: item.path.stem != "test_ticks")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    rows: dict[str, list[int]] = {}
    reports = [report for group in terminalreporter.stats.values() for report in group]
    for report in reports:
        if getattr(report, "when", None) != "call":
            continue
        for name, value in report.user_properties:
            if name == "try":
                fault, survived, lost, doubled = value
                row = rows.setdefault(fault, [0, 0, 0, 0])
                for place, more in enumerate((1, int(survived), lost, doubled)):
                    row[place] += more
    if rows:
        table = [HEAD, *((fault, *map(str, row)) for fault, row in sorted(rows.items()))]
        widths = [max(len(line[i]) for line in table) for i in range(len(HEAD))]
        terminalreporter.section("faults")
        for line in table:
            first, *others = (
                cell.ljust(width) if not i else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            terminalreporter.write_line("  ".join((first, *others)))


@pytest.fixture
def killed(project: Project, tmp_path: Path) -> Iterator[Killed]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    project.environment.setenv("TMPDIR", str(temporary))
    with Sandbox(generation(0), faults=Faults(latency=0.03)) as api:
        project.connect_to(api.url)
        yield Killed(project, api, temporary)
