"""`python -m event_assets erase`: erase what an event or a person has left in all that is kept."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

EPILOG = """\
An id: its rows go from all tables of the source, and those of other lists that belong to it.
A value, such as an address: it becomes null wherever it is a part of a value; rejects, changes
and rows that have it in their id go. The next sync brings back what the API still sends: erase it
there first, or name its field in `exclude`."""
UNREACHED = (
    "Not reached: backups and other copies of the database, files that alerts or you have written, "
    "and the API, from which the next sync brings back what it still sends."
)


def main(arguments: Sequence[str]) -> int:
    """Erase, print what was found, and return the exit status."""
    options = _build_parser().parse_args(arguments)

    from event_assets.cli.sources import find_source_files
    from event_assets.orchestration import process
    from event_assets.orchestration.failures import user_message

    if options.source not in find_source_files():
        print(f"Unknown source `{options.source}`.", file=sys.stderr)
        return 2
    process.raise_interrupts()
    try:
        lines = _erase(options.source, options.id, options.value)
    except Exception as error:
        sentence = user_message(error)
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        return 1
    print(*lines, sep="\n")
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m event_assets erase",
        description="Erase what an event or a person has left: in the tables, the rejects, the "
        "changes, the journal, dlt's folders and Dagster's history.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", nargs="?", default="events", metavar="SOURCE", help="its folder (default: events)"
    )
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--id", type=_text, help="the id of an event")
    chosen.add_argument("--value", type=_text, help="a text, in any case of letters")
    return parser


def _text(given: str) -> str:
    if not given.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return given


def _erase(name: str, key: str | None, value: str | None) -> list[str]:
    import dagster as dg

    from event_assets.cli.sources import load_source
    from event_assets.orchestration.housekeeping import erase_runs
    from event_assets.values.naming import normalize_name
    from event_assets.warehouse import erase as warehouse_erase

    source, text = load_source(name), key or value or ""
    columns = ["id", *(normalize_name(f"_event_data_{path}") for path in source.events.id_paths)]
    changed = warehouse_erase.erase(name, text, columns if key else ())
    lines = [f"{table}: {count:,} rows" for table, count in changed.items()]
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            lines.append(f"Dagster's history: {erase_runs(instance, text):,} runs")
    else:
        lines.append("DAGSTER_HOME is not set: Dagster's history was not searched.")
    return [*lines, UNREACHED]
