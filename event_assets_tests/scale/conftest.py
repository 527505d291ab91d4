"""Real servers for the tests of what goes past one machine; `make test-scale` runs these."""

from collections.abc import Iterator

import pytest

from event_assets_tests.scale import servers


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """A Postgres; `database()` makes an empty database in it for each test."""
    with servers.postgres() as running:
        yield running


@pytest.fixture(scope="session")
def redis() -> Iterator[int]:
    """A Redis: its port on 127.0.0.1."""
    with servers.redis_server() as port:
        yield port


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long backfills took."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    figures = sorted(
        value
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "backfill"
    )
    if figures:
        terminalreporter.section("backfills")
    for workers, accounts, seconds, cpu_seconds in figures:
        terminalreporter.write_line(
            f"{workers} workers: {accounts} accounts in {seconds:.1f} s, "
            f"{cpu_seconds:.1f} CPU seconds an account"
        )
