"""`python -m event_assets.probe`: check whether a source is configured correctly."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path

from event_assets.config.source import DEFAULT_SOURCE

EPILOG = """\
Sends at most twelve requests within ten seconds and writes nothing. Each line begins with

  ok    passed
  warn  a sync works, but look at it
  fail  a sync fails or is wrong: fix this first
  -     not applicable, or unknown

Exit status: 0 when no check failed (warnings are allowed), 1 when one did, 2 for a wrong command
line. The command reads the project's .env; without EVENTS_API_URL it probes the built-in sandbox.
Do not redirect the output of --suggest to the file that it is made from."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe a source, print the report, and return the exit status."""
    options = _build_parser().parse_args(arguments)

    from event_assets.orchestration.failures import user_message

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _print_report(options)
    except Exception as error:
        sentence = user_message(error)
        if sentence is None:
            raise
    print(sentence, file=sys.stderr)
    return 1


def _build_parser() -> argparse.ArgumentParser:
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
        help="its folder under defs/ (default: the only one, or events)",
    )
    parser.add_argument(
        "--account", help="the account to probe, in a source with accounts (default: the first)"
    )
    parser.add_argument(
        "--suggest",
        action="store_true",
        help="print the source's YAML, corrected; the report goes to standard error",
    )
    return parser


def _default_source(files: Mapping[str, Path]) -> str | None:
    if DEFAULT_SOURCE in files:
        return DEFAULT_SOURCE
    return next(iter(files)) if len(files) == 1 else None


def _print_report(options: argparse.Namespace) -> int:
    from event_assets.cli.sources import find_source_files, load_source
    from event_assets.probe.runner import probe
    from event_assets.probe.yaml_editor import apply_changes
    from event_assets.sync.account_list import select_account

    files = find_source_files()
    name = options.source or _default_source(files)
    if name not in files:
        problem = f"Unknown source `{name}`" if name else "Name a source"
        print(f"{problem}; known sources: {', '.join(files) or 'none'}.", file=sys.stderr)
        return 2
    source = select_account(load_source(name), options.account)
    report = probe(source)
    if options.suggest:
        text = files[name].read_text(encoding="utf-8")
        print(apply_changes(text, report.changes, report.secrets), end="")
    out = sys.stderr if options.suggest else sys.stdout
    account_note = f", account {source.account}" if source.account else ""
    print(f"Source {name} at {source.origin}{account_note}:", file=out)
    print(*report.format_lines(), sep="\n", file=out)
    if options.suggest:
        changed = ", ".join(".".join(setting) for setting in report.changes)
        print(f"Changed settings: {changed or 'none'}.", file=out)
    return 1 if report.has_failures else 0
