"""`event-assets probe`: check whether a source is configured correctly."""

from __future__ import annotations

import sys

import click

from event_assets.cli.output import json_option, print_json
from event_assets.cli.sources import load_source, select_source
from event_assets.config.source_files import find_sources

EPILOG = """\b
Sends at most twelve requests within ten seconds, and writes nothing.
Each line begins with
  ok    passed
  warn  a sync works, but look at it
  fail  a sync fails or is wrong: fix this first
  -     not applicable, or unknown

\b
Exit status: 0 when no check failed, warnings are allowed; 1 when one did;
2 for a wrong command line. Without an address, the built-in sandbox is probed.
Do not redirect --suggest to the file that it is made from."""


@click.command(epilog=EPILOG)
@click.argument("source", required=False)
@click.option("--account", help="The account to probe, if the source has some; else the first.")
@click.option("--suggest", is_flag=True, help="Print the YAML, corrected; the report on stderr.")
@json_option
def probe(source: str | None, account: str | None, suggest: bool, as_json: bool) -> int:
    """Check, before the first sync, whether SOURCE is configured correctly.

    SOURCE is its folder under defs/; by default the only one.
    """
    name = select_source(source)

    from event_assets.cli.suggestion import suggest_yaml
    from event_assets.probe import runner
    from event_assets.sync.account_list import select_account

    configured = select_account(load_source(name), account)
    report = runner.probe(configured)
    status = 1 if report.has_failures else 0
    if suggest:
        text = find_sources()[name].file.read_text(encoding="utf-8")
        click.echo(suggest_yaml(text, report.changes), nl=False)
    if as_json:
        findings = [
            {"check": check, "mark": finding.mark, "message": finding.message}
            for check, finding in report.findings.items()
        ]
        print_json({"source": name, "address": configured.origin, "findings": findings})
        return status
    out = sys.stderr if suggest else sys.stdout
    account_note = f", account {configured.account}" if configured.account else ""
    print(f"Source {name} at {configured.origin}{account_note}:", file=out)
    print(*report.format_lines(), sep="\n", file=out)
    if suggest:
        print(f"Changed settings: {', '.join(report.changes) or 'none'}.", file=out)
    return status
