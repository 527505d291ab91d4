"""`python -m event_assets.probe`: check whether a source is configured correctly."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dotenv import load_dotenv

DEFS = Path(__file__).parents[1] / "defs"
DEFAULT = "events"
EPILOG = """\
Sends at most five requests within ten seconds and writes nothing. Each line begins with

  ok    passed
  warn  a sync works, but look at it
  fail  a sync fails or is wrong: fix this first
  -     not applicable, or unknown

Exit status: 0 when no check failed (warnings are allowed), 1 when one did, 2 for a wrong command
line. The command reads .env; without EVENTS_API_URL it probes the built-in sandbox.
Do not redirect the output of --suggest to the file that it is made from."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe a source, print the report, and return the exit status."""
    options = _parser().parse_args(arguments)
    name = options.source or _default_source()
    if name not in _list_sources():
        problem = f"Unknown source `{name}`" if name else "Name a source"
        print(f"{problem}; known sources: {', '.join(_list_sources()) or 'none'}.", file=sys.stderr)
        return 2
    load_dotenv(".env", override=True)  # as Dagster's own commands do
    return _print_report(name, options.suggest, options.account)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m event_assets.probe",
        description="Check, before the first sync, whether a source is configured correctly.",
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
        help="the account to probe, in a source with accounts (default: the first)",
    )
    parser.add_argument(
        "--suggest",
        action="store_true",
        help="print the source's YAML, corrected; the report goes to standard error",
    )
    return parser


def _list_sources() -> list[str]:
    return sorted(file.parent.name for file in DEFS.glob("*/defs.yaml"))


def _default_source() -> str | None:
    names = _list_sources()
    return names[0] if len(names) == 1 else DEFAULT if DEFAULT in names else None


def _print_report(name: str, suggest: bool, account: str | None) -> int:
    from event_assets._compat.dagster import ComponentTreeException
    from event_assets.cli.sources import load
    from event_assets.orchestration.failures import root_cause_message, user_message
    from event_assets.probe.runner import probe
    from event_assets.probe.yaml_editor import apply_changes
    from event_assets.sync.account_list import select_account

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        source = select_account(load(name), account)
        report = probe(source)
        if suggest:
            text = (DEFS / name / "defs.yaml").read_text(encoding="utf-8")
            print(apply_changes(text, report.changes, report.secrets), end="")
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
    account_note = f", account {source.account}" if source.account else ""
    print(f"Source {name} at {source.api}{account_note}:", file=out)
    print(*report.format_lines(), sep="\n", file=out)
    if suggest:
        changed = ", ".join(".".join(setting) for setting in report.changes)
        print(f"Changed settings: {changed or 'none'}.", file=out)
    return 1 if report.has_failures else 0
