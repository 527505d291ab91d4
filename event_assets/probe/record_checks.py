"""What is in the records: are they where they should be, and the fields of the contract in them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from event_assets.probe.answers import ProbeAnswers
from event_assets.probe.formatting import pluralize
from event_assets.probe.report import Finding, Setting
from event_assets.probe.suggestions import field_for, id_for
from event_assets.records.contract import FieldReader

SAMPLE = 100  # records
EXAMPLES = 3


def records(seen: ProbeAnswers) -> Finding:
    """Say whether the selector finds records, or which one would."""
    name, selected, count = "records", seen.selected, len(seen.rows)
    used = seen.words.show(selected.used)
    objects = sum(isinstance(row, dict) for row in seen.rows)
    if selected.problem:
        if selected.better is None:
            return Finding(
                "fail",
                name,
                f"the answer {selected.problem}, and no other list of objects; "
                "check the endpoint's path and `data_selector`.",
            )
        return Finding(
            "fail",
            name,
            f"the answer {selected.problem}; {count} are under `{used}`: "
            f"set `data_selector: {used}`.",
            {("data_selector",): selected.used},
        )
    if objects < count:
        return Finding(
            "fail",
            name,
            f"{count - objects} of {count} under `{used}` are no objects; check `data_selector`.",
        )
    if not count:
        return Finding("warn", name, f"the list under `{used}` is empty: there is nothing to see.")
    if selected.configured is None and selected.used != "$":
        return Finding(
            "warn",
            name,
            f"{count} under `{used}`, which was guessed: set `data_selector: {used}`, so that an "
            "answer without it is noticed.",
            {("data_selector",): selected.used},
        )
    where = "the answer itself is" if used == "$" else f"under `{used}` are"
    return Finding("ok", name, f"{where} {pluralize(count)}.")


def identity(seen: ProbeAnswers) -> Finding:
    """Say whether the id is there, in each record, and different."""
    name, reader, rows = "id", seen.contract["id"], seen.rows
    if not rows:
        return Finding("-", name, "no records to look at.")
    values = reader.array(reader.values(rows), rows).to_pylist()
    there = [value for value in values if value is not None]
    missing, twice = len(values) - len(there), len(there) - len(set(there))
    own = ", ".join(f"`{path}`" for path in reader.origins)
    if there and not missing and not twice:
        examples = seen.words.list(there[:EXAMPLES])
        return Finding("ok", name, f"{own} is in all {len(rows)}, never twice; {examples}.")
    found = (
        f"{missing} of {pluralize(len(rows))} have no {own}"
        if missing
        else f"{twice} of {pluralize(len(rows))} have the {own} of another"
    )
    if not twice and missing <= seen.source.max_rejects * len(rows):
        return Finding("warn", name, f"{found}: they do not load, and are kept as rejects.")
    setting = ("primary_key",) if seen.source.fields["id"].source is None else ("from", "id")
    if better := id_for(rows):
        said = f"`{seen.words.show(better)}` tells them apart: set it as {_id_in_words(setting)}"
        return Finding("fail", name, f"{found}; {said}.", {setting: better})
    return Finding("fail", name, f"{found}; set {_id_in_words(setting)} to what tells them apart.")


def _id_in_words(setting: tuple[str, ...]) -> str:
    return "`primary_key`" if setting == ("primary_key",) else "`from` of the field `id`"


def fields(seen: ProbeAnswers) -> Iterator[Finding]:
    """Say of each field of the contract whether it is there, of its type, and what it is like."""
    rows = seen.rows[:SAMPLE]
    taken = {path for reader in seen.contract.values() for path in reader.origins}
    for name, reader in seen.contract.items():
        if name != "id":
            yield _field(seen, reader, rows, taken - set(reader.origins))


def _field(
    seen: ProbeAnswers, reader: FieldReader, rows: Sequence[Any], taken: set[str]
) -> Finding:
    name = f"field {reader.name}"
    if not rows:
        return Finding("-", name, "no records to look at.")
    values = reader.values(rows)
    fitting = reader.array(values, rows).is_valid().to_pylist()
    there = [value for value in values if value is not None]
    misfits = [v for v, fits in zip(values, fitting, strict=True) if v is not None and not fits]
    own = ", ".join(f"`{path}`" for path in reader.origins)
    nulls = len(rows) - len(there)
    broken = len(misfits) if reader.field.nullable else len(misfits) + nulls
    allowed = seen.source.max_rejects * len(rows)
    if not there or len(misfits) > allowed:
        problem = (
            f"{seen.words.list(misfits[:1])} at {own} {reader.problem(misfits[0])} "
            f"({len(misfits)} of {len(rows)} records)"
            if misfits
            else f"nothing is at {own} in {pluralize(len(rows))}"
        )
        if better := field_for(reader.name, reader.field, rows, taken):
            return _elsewhere(seen, reader, problem, better)
        advice = "say in `from` where it is, or take it out of `fields`"
        return Finding("fail" if broken > allowed else "warn", name, f"{problem}: {advice}.")
    examples = seen.words.list(_different(there)[:EXAMPLES])
    found = f"{nulls / len(rows):.0%} null at {own}; {examples}"
    if not broken:
        return Finding("ok", name, f"{found}.")
    why = reader.problem(misfits[0]) if misfits else "is missing"
    rejected = f"{broken} of {len(rows)} would be rejected, because it {why}"
    return Finding("fail" if broken > allowed else "warn", name, f"{found}: {rejected}.")


def _elsewhere(
    seen: ProbeAnswers, reader: FieldReader, problem: str, better: dict[str, Any]
) -> Finding:
    said = ", ".join(f"`{setting}: {seen.words.show(v)}`" for setting, v in better.items())
    changes: dict[Setting, Any] = {(what, reader.name): v for what, v in better.items()}
    return Finding("fail", f"field {reader.name}", f"{problem}; set {said}.", changes)


def _different(values: Sequence[Any]) -> list[Any]:
    return list({repr(value): value for value in values}.values())
