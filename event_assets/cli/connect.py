"""`event-assets connect`: find out how an API works, write its source, and sync it."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from event_assets.cli.env_file import add_variables, require_writable, would_be_committed
from event_assets.cli.sources import load_source
from event_assets.cli.sync import sync
from event_assets.config.env_file import env_file
from event_assets.config.program import program
from event_assets.config.settings import SECRET_NAMES
from event_assets.config.source_files import defs_folder

if TYPE_CHECKING:
    from event_assets.probe.discovery import Discovery, Options, Question

VARIABLE = re.compile(r"[A-Z]+(_[A-Z0-9]+)*")
KEY_OPTION = (
    "Give it by --key-from-env VARIABLE, twice for a user and a password or for a client's id and "
    "secret."
)


@click.command(
    epilog="Exit status: 0 when the source is written and its first sync succeeded; 1 when a "
    "question is open, or something failed."
)
@click.argument("url", required=False)
@click.argument("more", nargs=-1, metavar="")
@click.option("--name", help="The source's name: its folder, and its schema in the database.")
@click.option(
    "--key-from-env",
    "variables",
    multiple=True,
    metavar="VARIABLE",
    help="The variable with the key; twice for user and password, or for client id and secret.",
)
@click.option(
    "--auth", type=click.Choice([*SECRET_NAMES]), help="How the API takes the key, if you know it."
)
@click.option("--curl", metavar="COMMAND", help="A curl command, in place of the URL.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="What you know of the YAML: params.status=all, fields.name.from=title.",
)
@click.option(
    "--openapi",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The API's OpenAPI file: its paths, auth and parameters are tried first.",
)
@click.option("--yes", is_flag=True, help="Write and sync without asking.")
@click.option("--no-sync", is_flag=True, help="Write the source, but do not sync it.")
def connect(
    url: str | None,
    variables: Sequence[str],
    settings: Sequence[str],
    more: Sequence[str],
    *,
    yes: bool,
    no_sync: bool,
    **given: Any,
) -> int:
    """Create a source from an API's URL: find out how it works, write defs.yaml, and sync it.

    URL is that of the list of events, as it is copied from a browser or the API's
    documentation. The key goes into .env and nowhere else. At most 50 requests are sent;
    connect stops where the API refuses.
    """
    from event_assets.cli.set_option import parse_settings
    from event_assets.component.source_name import NAME, is_source_name
    from event_assets.probe.discovery import Options
    from event_assets.warehouse import get_destination

    if more:  # it may be a key, which must not be shown
        raise click.UsageError("connect takes one URL, and keys by --key-from-env VARIABLE")
    if not (url or given["curl"] or given["openapi"]):
        raise click.UsageError("Give the URL of the list of events, --curl or --openapi")
    if (name := given["name"]) and not is_source_name(name):
        raise click.UsageError(f"--name needs {NAME}")
    get_destination().validate_names(name or "")
    keys = [_read_variable(variable) for variable in variables]
    options = Options(url=url, keys=keys, settings=parse_settings(settings), **given)
    require_writable(defs_folder(), "the source")
    if keys:
        require_writable(env_file(), "the key")
    is_asking = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    click.echo("Asking the API, with at most 50 requests ...")
    found = _find_out(options, is_asking)
    if found.open_questions:
        return _print_questions(found.open_questions)
    if not _write(found, yes=yes, is_asking=is_asking):
        return 1
    if no_sync:
        click.echo(f"Next: {program()} sync {found.name}")
        return 0
    return int(click.get_current_context().invoke(sync, source=(found.name,)))


def _find_out(options: Options, is_asking: bool) -> Discovery:
    """Find out how the API works, and ask what is in doubt, until nothing is or no answer comes."""
    from event_assets.probe.connect import discover

    found = discover(options)
    _show(found)
    passed: set[str] = set()  # optional questions that got no answer
    while is_asking and (question := _next_question(found, passed)):
        answered = _ask(question, options)
        if answered is not None:
            options, found = answered, discover(answered)
            _show(found)
        elif question.is_open:
            return found
        else:
            passed.add(question.setting)
    for question in found.questions:
        if not question.is_open and question.setting not in passed:
            click.echo(question.text)
    return found


def _read_variable(variable: str) -> str:
    from event_assets.http.credentials import find_bad_character

    value = os.environ.get(variable, "").strip()
    if bad := find_bad_character(value, in_header=True):
        raise click.UsageError(f"The variable {variable} holds {bad}, which no key can have")
    if value:
        return value
    if VARIABLE.fullmatch(variable):  # it is not a key itself
        raise click.UsageError(f"The variable {variable} is set neither here nor in .env")
    raise click.UsageError(
        "--key-from-env takes the name of a variable that holds the key, not the key itself"
    )


def _next_question(found: Discovery, passed: Collection[str]) -> Question | None:
    """Return the next question, those that must be answered first; None if there is none."""
    others = (one for one in found.questions if one.choices and one.setting not in passed)
    return next(iter([*found.open_questions, *others]), None)


def _show(found: Discovery) -> None:
    """Print what was found, and five events as they will be in the table."""
    from event_assets.cli.output import print_table

    rows = []
    for fact in found.facts:
        doubt = "" if fact.certainty == "sure" else f"{fact.certainty}: "
        rows.append({"about": fact.subject, "found": fact.value, "evidence": doubt + fact.evidence})
    if rows:
        print_table(rows, wraps=True)
    if found.events:
        click.echo("\nThe first events as they will be in the table, times in UTC:")
        print_table(found.events)
    click.echo(f"\nRequests sent: {found.requests}.")


def _ask(question: Question, options: Options) -> Options | None:
    """Ask an open question; return the options with its answer, or None if there is none."""
    from event_assets.cli.set_option import parse_settings

    click.echo(question.text)
    if question.setting == "key":
        has_two = len(SECRET_NAMES[options.auth or "bearer"]) == 2
        names = ("User or client id", "Password or secret") if has_two else ("Key (not shown)",)
        typed = [
            click.prompt(name, hide_input=True, default="", show_default=False).strip()
            for name in names
        ]
        return replace(options, keys=typed) if any(typed) else None
    choices = [*question.choices.items()]
    for number, (choice, _) in enumerate(choices, 1):
        click.echo(f"  {number}  {choice}")
    otherwise = "stop" if question.is_open else "go on"
    prompt = f"Number, value, or PATH=VALUE; nothing to {otherwise}"
    answer = click.prompt(prompt, default="", show_default=False)
    while choices and answer.isdecimal() and not 0 < int(answer) <= len(choices):
        answer = click.prompt(f"There is no choice {answer}", default="", show_default=False)
    if answer.isdecimal() and choices:
        made: Mapping[str, Any] = choices[int(answer) - 1][1]
    elif answer and "=" not in answer:
        made = parse_settings([f"{question.setting}={answer}"])
    else:
        made = parse_settings(answer.replace("--set ", " ").split())
    return replace(options, settings={**options.settings, **made}) if made else None


def _print_questions(questions: Sequence[Question]) -> int:
    """Print which options answer open questions; return the exit status."""
    for question in questions:
        option = f" {KEY_OPTION}" if question.setting == "key" else ""
        click.echo(f"{question.text}{option}", err=True)
        for choice, made in question.choices.items():
            shown = {
                path: one if type(one) is str else json.dumps(one) for path, one in made.items()
            }
            named = " ".join(f"--set {shlex.quote(f'{path}={one}')}" for path, one in shown.items())
            click.echo(f"  {choice}: {named}", err=True)
    click.echo("Nothing was written.", err=True)
    return 1


def _write(found: Discovery, *, yes: bool, is_asking: bool) -> bool:
    """Write the source and its secrets, if that is wanted; return whether it was."""
    from event_assets.component.json_schema import editor_line
    from event_assets.probe.source_yaml import write_yaml
    from event_assets.warehouse import get_destination

    get_destination().validate_names(found.name)
    file = defs_folder() / found.name / "defs.yaml"
    before = file.read_text(encoding="utf-8") if file.is_file() else None
    header = f"{editor_line(file)}# The source `{found.name}`, as event-assets connect found it."
    text = write_yaml(found.document, found.comments, header)
    if before == text:
        click.echo(f"{file} is as it should be.")
    elif not _may_write(file, before, text, yes=yes, is_asking=is_asking):
        return False
    added = add_variables(found.variables)
    if added and would_be_committed(env_file()):
        warning = "git does not ignore .env, which holds the key: add it to .gitignore."
        click.echo(warning, err=True)
    os.environ.update(found.variables)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    try:
        load_source(found.name)
    except Exception:  # a setting that was given may be wrong
        file.unlink() if before is None else file.write_text(before, encoding="utf-8")
        raise
    written = [str(file)] if before != text else []
    written += [f"{' and '.join(added)} to .env"] if added else []
    if written:
        click.echo(f"Wrote {', and '.join(written)}.")
    return True


def _may_write(file: Path, before: str | None, text: str, *, yes: bool, is_asking: bool) -> bool:
    """Show what would change, and ask whether to write it."""
    import difflib

    if before is not None:
        names = (str(file), "proposed")
        lines = difflib.unified_diff(before.splitlines(), text.splitlines(), *names, lineterm="")
        click.echo("\n".join(lines))
    if yes or (is_asking and click.confirm(f"Write {file}?", default=True)):
        return True
    click.echo("Nothing was written" + ("." if is_asking else ": add --yes to write it."), err=True)
    return False
