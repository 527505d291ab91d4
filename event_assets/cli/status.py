"""`event-assets status`: whether each source is fresh and complete, for people and monitoring."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

import click

from event_assets.cli.newest_syncs import Row, Synced, read_syncs
from event_assets.cli.output import json_option, print_json, to_text
from event_assets.cli.sources import require_known
from event_assets.config.database_file import failure_file
from event_assets.config.program import program
from event_assets.config.project import get_nested
from event_assets.config.source_files import (
    EVENT_DATA,
    MAX_CLOCK_DIFFERENCE,
    SANDBOX,
    SourceFile,
    find_sources,
    unused_sandboxes,
)
from event_assets.values.urls import origin
from event_assets.values.wording import counted, format_age

MAX_PROBLEMS = 5  # shown for each source
MIN_ROWS = 10  # in which a column that most events have should have a value
ESSENTIAL = ("name", "start_time")


class Problem(NamedTuple):
    """What is wrong, and the command that helps; the worst has the lowest rank."""

    rank: int
    text: str
    command: str


PROBE = "probe {source}"
FULLY = "sync {source} --full"
REJECTS = "show {source}.{table}_rejects"
ACCEPTED = re.compile(r"event-assets (sync [^`]* --accept-new-origin)`")  # in a reason
OF_LIST = "show {source}.{table}_syncs"  # in place of the probe, which reads events only
# Of the newest sync of a table.
PROBLEMS: Sequence[tuple[Callable[[Row], object], Problem]] = (
    (lambda row: row["complete"] is False, Problem(0, "{reason}", PROBE)),
    (
        lambda row: row.get("conflicting_ids"),
        Problem(1, "Ids that different events share: {conflicting_ids}.", "show {source} --syncs"),
    ),
    (
        lambda row: row.get("has_lost_rows"),
        Problem(2, "{table} has lost rows since its newest sync.", "sync {source}"),
    ),
    (
        lambda row: _takes_turns(row),
        Problem(
            1,
            "Two configurations are synced into it in turns, as by two projects with one "
            "database: give one of them another, or its source another name.",
            "show {source} --syncs",
        ),
    ),
    (
        lambda row: row["is_behind"],
        Problem(
            2,
            "event_changes and what follows were not built since its newest sync: a check failed, "
            "or what comes before them.",
            "sync {source}",
        ),
    ),
    (
        lambda row: row["full_sync"] is False and _full(row)["complete"] is not True,
        Problem(1, "Its newest full sync may not be complete: {newest_full[reason]}", FULLY),
    ),
    (lambda row: row["complete"] is None, Problem(4, "It may not be complete: {reason}", PROBE)),
    (lambda row: row.get("rejects"), Problem(5, "Rejected records: {rejects}.", REJECTS)),
)
OTHER = Problem(0, "Its newest sync was of {api}, not of {address}.", "sync {source}")
FAILED = Problem(0, "{where}Its {kind} failed {age} ago{reason}", "sync {source}")
NEVER = Problem(2, "It was never synced.", "sync {source}")
ADDED = Problem(2, "{where}It was not synced since it was added.", "sync {source}")
LATE = Problem(3, "It is late.", "sync {source}")
AHEAD = Problem(3, "It was synced at a time that is to come: correct the clock.", "sync {source}")
EMPTIED = Problem(
    1,
    "{where}No event of its newest full sync has a value for `{name}`, as before: correct its "
    "`from` in defs.yaml.",
    "sync {source}",
)
ALL_REMOVED = Problem(
    1,
    "None of the {rows:,} records of its newest full sync is a current event, as if `removed_when` "
    "matched all of them: correct it in defs.yaml.",
    "sync {source}",
)
NOT_BUILT = Problem(1, "Its current_events were never built.", "sync {source}")


@dataclass(frozen=True)
class Status:
    """The state of a source."""

    source: str
    address: str
    is_synced: bool  # False: the sandbox beside an API
    last_sync: datetime | None  # UTC; of the account that was synced the longest ago
    age_minutes: float | None
    is_fresh: bool
    is_complete: bool | None  # None: unknown
    has_failed: bool  # the newest sync, or that of an account, or what is derived of it
    events: int | None  # current ones
    problems: Sequence[str]
    command: str  # the command that helps with the first problem

    @property
    def is_good(self) -> bool:
        """Return whether monitoring has nothing to tell."""
        return not self.is_synced or (
            self.is_fresh
            and self.is_complete is True
            and not self.has_failed
            and self.events is not None
        )


@click.command(epilog="Exit status: 0 when each source is fresh and complete, 1 when one is not.")
@click.argument("source", nargs=-1)
@json_option
def status(source: tuple[str, ...], as_json: bool) -> int:
    """Show when each SOURCE was synced, whether it is complete, and what to do if not.

    Without SOURCE: all sources.
    """
    require_known(source)
    found = find_sources()
    if not found:
        raise click.ClickException(f"There are no sources: `{program()} connect URL` makes one.")
    synced, unused = read_syncs(found), unused_sandboxes(found)
    states = [
        _judge(one, synced.get(name, Synced()), is_synced=name not in unused)
        for name, one in found.items()
        if not source or name in source
    ]
    if as_json:
        print_json([asdict(state) for state in states])
    else:
        click.echo("\n".join(line for state in states for line in _lines(state)))
    return 0 if all(state.is_good for state in states) else 1


def _judge(source: SourceFile, synced: Synced, *, is_synced: bool) -> Status:
    syncs, failed = synced.syncs, [*_failures(source, synced)]
    times = [row["finished_at"] for row in syncs if row["table"] == EVENT_DATA]
    age = (datetime.now(UTC) - min(times)).total_seconds() / 60 if times else None
    late_after = source.minutes_until_late
    is_ahead = age is not None and age < -MAX_CLOCK_DIFFERENCE
    is_fresh = age is not None and not is_ahead and (late_after is None or age <= late_after)
    address = origin(source.base_url) if source.base_url else SANDBOX
    is_known = address == SANDBOX or ("://" in address and "{" not in address)
    others = {row.get("api") for row in syncs if is_known} - {None, address}
    emptied = [*_emptied(source, synced)]
    # Of different events that share an id, one alone is there.
    wrong = [
        row
        for row in syncs
        if row.get("conflicting_ids") or row["has_lost_rows"] or _takes_turns(row)
    ]
    added = [*_added(source, synced, failed)]
    both = [(row, one["complete"]) for row in syncs for one in (row, _full(row))]
    verdicts = {row not in wrong and complete for row, complete in both} or {None}
    verdicts |= {None} if added or emptied else set()
    problems = [AHEAD if is_ahead else LATE] if times and not is_fresh else []
    problems += [NEVER] if not times and not failed else []
    problems += [NOT_BUILT] if times and synced.events is None and False not in verdicts else []
    problems += [OTHER._replace(text=OTHER.text.format(api=api, address=address)) for api in others]
    problems += [problem for row in syncs for problem in _problems(row)]
    problems += [*failed, *added, *emptied]
    problems = sorted(problems) if is_synced else []
    return Status(
        source=source.name,
        address=source.shown_base_url,
        is_synced=is_synced,
        last_sync=min(times, default=None),
        age_minutes=None if age is None else round(age, 1),
        is_fresh=is_fresh and not others,
        is_complete=next(one for one in (False, None, True) if one in verdicts),
        has_failed=bool(failed) or any(row["is_behind"] for row in syncs),
        events=synced.events,
        problems=[problem.text for problem in problems],
        command=problems[0].command.format(source=source.name) if problems else "",
    )


def _failures(source: SourceFile, synced: Synced) -> Iterator[Problem]:
    """Yield what is known of syncs that failed, each newer than the good ones of its table."""
    own, others = failure_file(source.name), failure_file(f"{source.name}__*")
    with suppress(FileNotFoundError, NotADirectoryError):
        any(own.parent.iterdir())  # `glob` finds nothing in a folder that it cannot read
    full = failure_file(source.name, is_full=True)
    checked = failure_file(f"{source.name}.check_*")  # by a user's own check
    patterns = (own.name, full.name, checked.name, others.name)
    for noted in (file for pattern in patterns for file in sorted(own.parent.glob(pattern))):
        is_full = noted.name.endswith(full.name.removeprefix(source.name))
        sync = "full sync" if is_full else "sync"
        check = noted.stem.partition(".check_")[2]
        lines = [*noted.read_text("utf-8", "replace").split("\n"), "", ""]
        account, reason, table = lines[0], lines[1], lines[2] or EVENT_DATA
        failed_at = noted.stat().st_mtime
        is_over = any(
            (_full(row) if is_full else row)["finished_at"].timestamp() > failed_at
            for row in synced.syncs
            if row["table"] == table and account in ("", row.get("account"))
        )
        is_known = not account or (source.has_accounts and account not in synced.left)
        if table in source.tables and is_known and not is_over:
            text = FAILED.text.format(
                where=_where(table, account),
                kind=f"check {check}" if check else f"newest {sync}",
                age=format_age((time.time() - failed_at) / 60),
                reason=f": {reason}" if reason else ".",
            )
            again = FULLY if is_full else FAILED.command
            helps = REJECTS if "max_rejects" in reason else again
            if accepted := ACCEPTED.search(reason):
                helps = accepted[1]
            elif "rename the folder of the source" in reason:  # no command helps
                helps = ""
            yield FAILED._replace(text=text, command=helps.format(source=source.name, table=table))


def _added(source: SourceFile, found: Synced, failed: Sequence[Problem]) -> Iterator[Problem]:
    """Yield each list, and each account, that no sync has read, though others were synced.

    Events that were synced since the file was written were synced without a list on purpose.
    """
    syncs = found.syncs
    synced = {(row["table"], row.get("account")) for row in syncs}
    tables = {table for table, _ in synced}
    known = [*source.accounts, *found.queried]
    accounts = known if all(row["has_accounts"] for row in syncs) else []
    if EVENT_DATA not in tables:
        return
    written = max(source.file.stat().st_mtime, source.file.stat().st_ctime)
    began = max(row["started_at"] for row in syncs if row["table"] == EVENT_DATA)
    is_chosen = began.timestamp() > written
    lists = [(table, None) for table in source.tables if table not in tables and not is_chosen]
    own = [(table, name) for table in source.tables if table in tables for name in accounts]
    for table, account in (*lists, *own):
        is_of_added = table != EVENT_DATA and account and (EVENT_DATA, account) not in synced
        if (table, account) in synced or is_of_added:
            continue
        where = _where(table, account)
        if not any(one.text.startswith(where) for one in failed):
            yield ADDED._replace(text=ADDED.text.format(where=where))


def _emptied(source: SourceFile, synced: Synced) -> Iterator[Problem]:
    """Yield what makes all events useless, though the newest syncs have read enough of them."""
    found = [(row, _full(row)) for row in synced.syncs if row["table"] == EVENT_DATA]
    rows = sum(full["rows_read"] or 0 for _, full in found)
    if synced.events == 0 and rows >= MIN_ROWS and get_nested(source.attributes, "removed_when"):
        yield ALL_REMOVED._replace(text=ALL_REMOVED.text.format(rows=rows))
    fields = {one for one in ESSENTIAL if get_nested(source.attributes, "fields", one) is not None}
    for row, full in found:
        is_enough = (full["rows_read"] or 0) >= MIN_ROWS and full["filled"]
        for name in sorted(fields.difference(full["filled"]) if is_enough else ()):
            if row[f"had_{name}"]:
                where = _where(EVENT_DATA, row.get("account"))
                yield EMPTIED._replace(text=EMPTIED.text.format(where=where, name=name))


def _problems(row: Row) -> Iterator[Problem]:
    """Yield what the newest sync of a table has found, with the table and the account."""
    where = _where(row["table"], row.get("account"))
    for is_found, problem in PROBLEMS:
        if is_found(row):
            is_list = row["table"] != EVENT_DATA
            command = OF_LIST if is_list and problem.command == PROBE else problem.command
            text = where + problem.text.format_map(row)
            yield problem._replace(text=text, command=command.format_map(row))


def _full(row: Row) -> Mapping[str, Any]:
    """Return what the newest full sync has found, or else the newest one."""
    return row["newest_full"] or row


def _takes_turns(row: Row) -> bool:
    """Return whether configurations came back more often than a change that is tried and undone."""
    versions = [version for version, _ in groupby(row["versions"])]
    return row["table"] == EVENT_DATA and len(versions) - len({*versions}) > 2


def _where(table: str, account: str | None) -> str:
    return "".join(f"{part}: " for part in (table, account) if part not in (EVENT_DATA, None, ""))


def _lines(state: Status) -> Iterator[str]:
    """Yield what a person reads about a source."""
    yield f"{state.source}  {state.address}"
    if not state.is_synced:
        yield "  not synced beside an API, unless it is named"
        return
    if state.last_sync:
        age = format_age(state.age_minutes or 0)
        events = "" if state.events is None else f", {counted(state.events, 'current event')}"
        yield f"  synced {age} ago ({to_text(state.last_sync)} UTC){events}"
    if state.is_good:
        yield "  fresh and complete"
    for problem in state.problems[:MAX_PROBLEMS]:
        yield f"  {to_text(problem)}"
    if (more := len(state.problems) - MAX_PROBLEMS) > 0:
        yield f"  and {more:,} more"
    if state.command:
        yield f"  {program()} {state.command}"
