"""Connect one API as a person would, sync it, and compare the table with the truth."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance

from bench.connect import plain_dlt
from bench.connect.case import Case, Event, Given, Served
from event_assets.http import retry_policy
from event_assets.probe.connect import discover
from event_assets.probe.discovery import Options
from event_assets.probe.source_yaml import write_yaml
from event_assets.values.errors import ApiError, ConfigError
from event_assets_tests.support.platforms import definitions, run
from event_assets_tests.support.project import Project, checks, failure
from event_assets_tests.vendors.examples import sync_example

NAME = "connected"


@dataclass(frozen=True)
class Outcome:
    """What came of connecting one API.

    Attributes:
        result: `at once`, `as documented`, `with SETTING`, `no`, or what must never be:
            `GREEN AND SHORT`, `GREEN AND WRONG`.
        reason: why it did not work at once.
        others: why it did not work with more, either.
        requests: those of the discovery, and those of the sync.
        seconds: of the discovery, and of the sync.
        detected, loaded: what dlt detects, and how many records it loads, of `events`.
    """

    case: Case
    result: str
    reason: str
    others: Sequence[str]
    requests: tuple[int, int]
    seconds: tuple[float, float]
    detected: str
    loaded: int | None
    events: int


@dataclass(frozen=True)
class _Attempt:
    """One discovery with its sync: whether it is green, and what is wrong with it."""

    is_green: bool
    problem: str
    requests: tuple[int, int]
    seconds: tuple[float, float]
    choices: Sequence[Mapping[str, Any]] = ()

    @property
    def never(self) -> str:
        """Return what must never be: a green sync with a wrong table."""
        if not self.is_green or not self.problem:
            return ""
        return "GREEN AND SHORT" if "missing" in self.problem else "GREEN AND WRONG"


def evaluate(case: Case) -> Outcome:
    """Connect, sync and compare; with one more setting each, if it does not work at once."""
    with case.serve() as served:
        tried = [*_try_out(served)]
        result, attempt = next(
            ((attempt.never, attempt) for _, attempt in tried if attempt.never),
            tried[-1] if not tried[-1][1].problem else ("no", tried[0][1]),
        )
        return Outcome(
            case,
            result,
            attempt.problem or tried[0][1].problem,
            [f"{name}: {each.problem}" for name, each in tried[1:] if each.problem],
            attempt.requests,
            attempt.seconds,
            plain_dlt.detect(served),
            plain_dlt.load(served),
            len(served.truth()),
        )


def _try_out(served: Served) -> Iterator[tuple[str, _Attempt]]:
    """Yield the attempts at one API, by what is given, up to the first that works."""
    attempt = _attempt(served, given := served.given)
    yield "at once", attempt
    if attempt.problem and not attempt.never and served.documented:
        attempt = _attempt(served, given := served.documented)
        yield "as documented", attempt
    choices = [*attempt.choices]
    for setting in (*choices, *served.hints):
        if not attempt.problem or attempt.never:
            return
        attempt = _attempt(served, replace(given, settings={**given.settings, **setting}))
        if setting in choices:  # a wrong answer is the person's
            attempt = replace(attempt, is_green=attempt.is_green and not attempt.problem)
        yield f"with {', '.join(f'{name}={value}' for name, value in setting.items())}", attempt


def _attempt(served: Served, given: Given) -> _Attempt:
    before, began = served.requests(), time.monotonic()
    with _project() as project:
        options = Options(
            None if given.curl else given.url,
            NAME,
            keys=given.keys,
            curl=given.curl,
            settings=given.settings,
        )
        try:
            found = discover(options)
        except (ApiError, ConfigError) as error:
            asked, seconds = served.requests() - before, time.monotonic() - began
            return _Attempt(False, f"stops: {error}", (asked, 0), (seconds, 0))
        between, written = served.requests(), time.monotonic()
        questions = found.open_questions
        is_green, problem = False, " / ".join(question.text for question in questions)
        if not problem:
            for name, value in found.variables.items():
                project.environment.setenv(name, value)
            written_file = yaml.safe_load(write_yaml(found.document, found.comments))
            is_green, problem = _sync(project, written_file, served)
        return _Attempt(
            is_green,
            problem,
            (between - before, served.requests() - between),
            (written - began, time.monotonic() - written),
            [choice for question in questions for choice in question.choices.values()],
        )


@contextmanager
def _project() -> Iterator[Project]:
    """Make an empty project in a folder of its own."""
    with TemporaryDirectory(prefix="connect_") as folder, pytest.MonkeyPatch.context() as patch:
        database = Path(folder) / "data" / "warehouse.duckdb"
        patch.setenv("HOME", folder)
        patch.setenv("EVENTS_DUCKDB", str(database))
        patch.setattr(retry_policy, "BACKOFF_FACTOR", 0.01)
        with DagsterInstance.ephemeral() as instance:
            yield Project(database, lambda: instance, patch)


def _sync(project: Project, document: Mapping[str, Any], served: Served) -> tuple[bool, str]:
    """Return whether a sync is green, and what is wrong with it or with its table."""
    result = run(project, definitions({NAME: document}), f"sync_{NAME}")
    if not result.success:
        return False, f"the sync fails: {failure(result).splitlines()[0]}"
    failed = [name for name, check in checks(result).items() if not check.passed]
    truth, known = served.truth(), _like(served)
    expected = {id_: known.get(id_, event) for id_, event in truth.items()}
    problem = _compare(_read(project, NAME), expected, served.is_exact)
    if failed:
        said = "; ".join(str(checks(result)[name].description) for name in failed)
        return False, f"{', '.join(failed)}: {said}{f' ({problem})' if problem else ''}"
    return True, problem


def _read(project: Project, source: str) -> dict[str, Event]:
    columns = {
        row[0]
        for row in project.rows(
            "select column_name from information_schema.columns "
            f"where table_schema = '{source}' and table_name = 'event_data'"
        )
    }
    names = ("name", "start_time", "end_time")
    selected = ", ".join(name if name in columns else f"null as {name}" for name in names)
    rows = project.rows(f"select id, {selected} from {source}.event_data")
    return {row[0]: Event(row[1], *(_utc(moment) for moment in row[2:])) for row in rows}


def _utc(moment: Any) -> Any:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _like(served: Served) -> Mapping[str, Event]:
    """Return the names and times that the example of the platform reads, by id."""
    if served.like is None:
        return {}
    with _project() as project:
        url = str(served.endpoint["path"]).split("/", 3)
        sync_example(project, served.like, "/".join(url[:3]))
        return _read(project, served.like)


def _compare(found: Mapping[str, Event], expected: Mapping[str, Event], is_exact: bool) -> str:
    """Return how a table differs from the truth; other ids are right if they tell events apart."""
    if expected and not found.keys() & expected.keys():
        if all(each == Event() for each in expected.values()):  # only their number is known
            difference = len(expected) - len(found)
            return f"{difference} missing" if difference > 0 else ""
        counts = Counter((each.name, each.start) for each in expected.values())
        counts.subtract(Counter((each.name, each.start) for each in found.values()))
        missing, extra = +counts, -counts
        parts = [f"{missing.total()} missing"] if missing else []
        return ", ".join([*parts, *([f"{extra.total()} too many"] if extra else [])])
    parts = []
    if missing_ids := expected.keys() - found.keys():
        parts.append(f"{len(missing_ids)} missing of {len(expected)}")
    if is_exact and (extra_ids := found.keys() - expected.keys()):
        parts.append(f"{len(extra_ids)} too many")
    for part in ("name", "start", "end"):
        wrong = [
            (getattr(found[id_], part), getattr(event, part))
            for id_, event in expected.items()
            if id_ in found and getattr(event, part) not in (..., getattr(found[id_], part))
        ]
        if wrong:
            example = f"such as {wrong[0][0]} for {wrong[0][1]}"
            parts.append(f"{len(wrong)} with a wrong {part}, {example}")
    return ", ".join(parts)
