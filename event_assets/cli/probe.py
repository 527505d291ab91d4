"""`python -m event_assets.probe`: is this API configured right?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dotenv import load_dotenv

DEFS = Path(__file__).parents[1] / "defs"
DEFAULT = "events"
EPILOG = """\
Asks the API at most five times, within ten seconds, and writes nothing. Each line begins with

  ok    as it should be
  warn  a sync works, but look at it
  fail  a sync does not work, or not rightly: mend this first
  -     does not apply, or could not be told

Exit status: 0 when nothing failed (there may be warnings), 1 when something did, 2 for a wrong
command line. Read .env as all commands do; without EVENTS_API_URL, the built-in sandbox is probed.
Do not write what --suggest prints straight over the file that it is made from."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe a source, print what was found, and return the exit status."""
    options = _parser().parse_args(arguments)
    name = options.source or _default()
    if name not in _known():
        problem = f"There is no source `{name}`" if name else "Say which source"
        print(f"{problem}; known are: {', '.join(_known()) or 'none'}.", file=sys.stderr)
        return 2
    load_dotenv(".env", override=True)  # as Dagster's own commands do
    return _probed(name, options.suggest, options.account)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m event_assets.probe",
        description="Says, before the first sync, whether an API is configured right.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="its folder under event_assets/defs (default: the only one, or events)",
    )
    parser.add_argument(
        "--account",
        metavar="ACCOUNT",
        help="of a source with accounts: which one to ask for (default: the first)",
    )
    parser.add_argument(
        "--suggest",
        action="store_true",
        help="print the source's YAML, corrected; the report goes to standard error",
    )
    return parser


def _known() -> list[str]:
    return sorted(file.parent.name for file in DEFS.glob("*/defs.yaml"))


def _default() -> str | None:
    known = _known()
    return known[0] if len(known) == 1 else next((name for name in known if name == DEFAULT), None)


def _probed(name: str, suggest: bool, account: str | None) -> int:
    from dagster.components.core.component_tree import ComponentTreeException

    from event_assets.cli.sources import load
    from event_assets.orchestration.failures import root_cause_message, user_message
    from event_assets.probe.runner import probe
    from event_assets.probe.yaml_editor import suggest as corrected
    from event_assets.sync.account_list import select_account

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        source = select_account(load(name), account)
        report = probe(source)
        if suggest:
            text = (DEFS / name / "defs.yaml").read_text(encoding="utf-8")
            print(corrected(text, report.changes, report.secrets), end="")
    except ComponentTreeException as error:
        print(root_cause_message(error), file=sys.stderr)
        return 1
    except Exception as error:
        sentence = user_message(error)
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        return 1
    out = sys.stderr if suggest else sys.stdout
    whose = f", for the account {source.account}" if source.account else ""
    print(f"The source {name}, at {source.api}{whose}:", file=out)
    print(*report.lines(), sep="\n", file=out)
    if suggest:
        changed = ", ".join(".".join(setting) for setting in report.changes)
        print(f"Changed in the YAML: {changed or 'nothing'}.", file=out)
    return 1 if report.failed else 0
