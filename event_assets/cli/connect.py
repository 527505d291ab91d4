"""`event-assets connect URL`: find out how an API works, write the source, and sync it."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from event_assets.probe.findings import Discovery
    from event_assets.probe.inquiry import Options

KINDS = ("api_key", "bearer", "http_basic", "oauth2_client_credentials")
MARKS = {"sure": "", "likely": "likely", "assumed": "assumed"}
UNKNOWN_KEY = (
    "{text} Give it by --key-from-env VARIABLE (twice for a user and a password, or a client's id "
    "and secret)."
)


@click.command()
@click.argument("url", required=False)
@click.option("--name", help="The source's name: its folder, and its schema in the database.")
@click.option(
    "--key-from-env",
    "variables",
    multiple=True,
    metavar="VARIABLE",
    help="The variable that holds the key; twice for user and password, or client id and secret.",
)
@click.option("--auth", type=click.Choice(KINDS), help="How the API takes the key, if you know.")
@click.option("--curl", metavar="COMMAND", help="A curl command in place of the address.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="A value in the YAML that you know, such as params.status=all or fields.name.from=title.",
)
@click.option("--openapi", type=click.Path(exists=True), help="The API's OpenAPI file.")
@click.option("--yes", is_flag=True, help="Write and sync without asking.")
@click.option("--no-sync", is_flag=True, help="Write the source, but do not sync it.")
def connect(
    url: str | None,
    name: str | None,
    variables: Sequence[str],
    auth: str | None,
    curl: str | None,
    settings: Sequence[str],
    openapi: str | None,
    *,
    yes: bool,
    no_sync: bool,
) -> None:
    """Find out how an event API works, and make a source of it.

    URL is the address of the list of events, as copied from the API's documentation or a browser.
    The key goes into .env and nowhere else. At most 50 requests are sent, fewer where the API
    refuses one.
    """
    from event_assets.config.project import find_project, set_loaded_project
    from event_assets.orchestration.failures import user_message
    from event_assets.probe.document import parse_setting
    from event_assets.probe.inquiry import Options

    if not url and not curl:
        raise click.UsageError("Give the address of the list of events, or a --curl command.")
    try:
        set_loaded_project(find_project())
        options = Options(
            url=url,
            name=name,
            keys=[_read_variable(variable) for variable in variables],
            auth=auth,
            curl=curl,
            settings=dict(map(parse_setting, settings)),
            openapi=Path(openapi) if openapi else None,
        )
        status = _connect(options, is_asking=not yes and _is_terminal(), yes=yes, no_sync=no_sync)
    except Exception as error:
        sentence = user_message(error)
        if sentence is None:
            raise
        click.echo(sentence, err=True)
        status = 1
    sys.exit(status)


def _read_variable(variable: str) -> str:
    from event_assets.values.errors import ConfigError

    if value := os.environ.get(variable, "").strip():
        return value
    raise ConfigError(f"The variable {variable} is not set, neither here nor in .env.")


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _connect(options: Options, *, is_asking: bool, yes: bool, no_sync: bool) -> int:
    """Find out, show, ask, write and sync; return the exit status."""
    from event_assets.probe.discovery import discover

    click.echo(f"Asking the API, with at most 50 requests: {_shown_address(options)} ...")
    found = discover(options)
    while is_asking and (answers := _ask(found, options)):
        options = answers
        found = discover(options)
    _show(found)
    if found.open_questions or not found.document:
        for question in found.open_questions:
            text = UNKNOWN_KEY.format(text=question.text) if question.setting == "key" else ""
            click.echo(text or question.text, err=True)
            for choice, made in question.choices.items():
                named = " ".join(f"--set {path}={value}" for path, value in made.items())
                click.echo(f"  {choice}: {named}", err=True)
        click.echo("Nothing was written.", err=True)
        return 1
    if not _write(found, is_asking=is_asking, yes=yes):
        return 1
    return 0 if no_sync else _sync(found.name)


def _shown_address(options: Options) -> str:
    from event_assets.probe.request_input import parse_input
    from event_assets.values.urls import redact_url

    return redact_url(parse_input(options.url, options.curl).url)


def _ask(found: Discovery, options: Options) -> Options | None:
    """Ask the first open question, and return the options with its answer; None: there is none."""
    question = next(iter(found.open_questions), None)
    if question is None:
        return None
    click.echo(question.text)
    if question.setting == "key":
        keys = [click.prompt("Key", hide_input=True)]
        if options.auth in ("http_basic", "oauth2_client_credentials"):
            keys.append(click.prompt("Password or secret", hide_input=True, default=""))
        return replace(options, keys=[key for key in keys if key])
    choices = [*question.choices.items()]
    for number, (choice, _) in enumerate(choices, 1):
        click.echo(f"  {number}  {choice}")
    hint = "PATH=VALUE" + (f", or 1 to {len(choices)}" if choices else "")
    answer = click.prompt(f"Answer ({hint}; empty to stop)", default="", show_default=False)
    if not answer.strip():
        return None
    return replace(options, settings={**options.settings, **_read_answer(answer, choices)})


def _read_answer(answer: str, choices: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    from event_assets.probe.document import parse_setting

    if answer.isdecimal() and 0 < int(answer) <= len(choices):
        return dict(choices[int(answer) - 1][1])
    return dict(parse_setting(word) for word in answer.removeprefix("--set ").split(" --set "))


def _show(found: Discovery) -> None:
    """Print what was found, and five events as they will be in the table."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    facts = Table(box=None, pad_edge=False, show_edge=False)
    for title in ("found out", "", "evidence", ""):
        facts.add_column(title, overflow="fold")
    for fact in found.facts:
        facts.add_row(fact.subject, fact.value, fact.evidence, MARKS[fact.certainty])
    console.print(facts, markup=False)
    if found.events:
        events = Table(box=None, pad_edge=False)
        for column in found.events[0]:
            events.add_column(column, overflow="ellipsis", no_wrap=True)
        for event in found.events:
            events.add_row(*map(_shown_value, event.values()))
        console.print()
        console.print(events)
    click.echo(f"\n{found.requests} requests were sent.")
    for question in found.questions:
        if not question.is_open:
            click.echo(question.text)


def _shown_value(value: Any) -> str:
    from rich.markup import escape

    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return "" if value is None else escape(str(value))


def _write(found: Discovery, *, is_asking: bool, yes: bool) -> bool:
    """Write the source and its secrets; return whether that was done."""
    from event_assets.cli.env_file import add_variables
    from event_assets.cli.sources import load_source
    from event_assets.component.tree import load_tree
    from event_assets.config.project import ENV_FILE, find_project

    file = load_tree().defs_module_path / found.name / "defs.yaml"
    text = _render(found, file)
    before = file.read_text(encoding="utf-8") if file.is_file() else None
    if before == text:
        click.echo(f"{file} is as it should be.")
    else:
        if before is not None:
            names = (str(file), f"{file} (proposed)")
            lines = difflib.unified_diff(
                before.splitlines(), text.splitlines(), *names, lineterm=""
            )
            click.echo("\n".join(lines))
        if not yes and not (is_asking and click.confirm(f"Write {file}?", default=True)):
            click.echo(f"Nothing was written; with --yes, {file} is." if not is_asking else "")
            return False
    added = add_variables(find_project() / ENV_FILE, found.variables)
    os.environ.update(found.variables)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    try:
        load_source(found.name)
    except Exception:
        file.unlink() if before is None else file.write_text(before, encoding="utf-8")
        raise
    click.echo(f"Wrote {file}" + (f", and {' and '.join(added)} to .env." if added else "."))
    return True


def _render(found: Discovery, file: Path) -> str:
    from event_assets.component.json_schema import editor_line
    from event_assets.probe.yaml_writer import write_yaml

    header = f"{editor_line(file)}# The source `{found.name}`, as `event-assets connect` found it."
    return write_yaml(found.document, found.comments, header)


def _sync(name: str) -> int:
    """Sync the source, as `event-assets sync NAME` does; return the exit status."""
    import subprocess

    click.echo(f"Syncing {name} ...")
    command = [sys.executable, "-m", "event_assets", "sync", name]
    return subprocess.run(command, check=False).returncode  # noqa: S603 (this program itself)
