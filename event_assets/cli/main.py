"""`event-assets`: the commands, and how each of them ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from event_assets.config.env_file import set_loaded_project
from event_assets.config.program import NAME, program
from event_assets.config.project import fallback_warning, find_project
from event_assets.config.settings import require_valid_settings
from event_assets.orchestration import process
from event_assets.values.errors import UserError

# The module of each command, imported when it is called, and what it does.
COMMANDS = {
    "connect": ("event_assets.cli.connect", "Create a source from an API's URL."),
    "sync": ("event_assets.cli.sync", "Sync all sources, or those named."),
    "status": ("event_assets.cli.status", "Tell whether each source is fresh and complete."),
    "show": ("event_assets.cli.show", "Look at events, changes, rejects and syncs."),
    "check": ("event_assets.cli.check", "Find mistakes in the configuration; syncs nothing."),
    "probe": ("event_assets.cli.probe", "Try the API of a source with a few requests."),
    "sources": ("event_assets.cli.sources", "List the sources."),
    "remove": ("event_assets.cli.remove", "Remove a source, and its tables if you say so."),
    "erase": ("event_assets.cli.erase", "Erase what an event or a person has left."),
    "sandbox": ("event_assets.sandbox.command", "Serve the built-in sandbox API."),
}


class Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's)
        """Return the names, in the order of the help."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Import the command that is called."""
        name, _, rest = super().resolve_command(ctx, args)
        command = getattr(import_module(COMMANDS[name][0]), name) if name else None
        return name, command, rest

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; Ctrl-C ends the process, since click would print an empty line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(_interrupted()) from None


@click.group(
    cls=Commands,
    commands=[click.Command(name, short_help=about) for name, (_, about) in COMMANDS.items()],
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command works from any folder of the project and reads its .env; COMMAND --help "
    "says more.",
)
@click.version_option(package_name="event_assets", message="%(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Every event of an event platform's REST API in DuckDB: typed, fresh, checked."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
    elif context.invoked_subcommand != "sandbox":
        if warning := fallback_warning():
            click.echo(warning, err=True)
        set_loaded_project(find_project())
        require_valid_settings()


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status; a failure is one sentence on standard error.

    The status is 0 for success, 1 for a failure, and 2 for a wrong command line.
    """
    try:
        status = main.main([*arguments], prog_name=NAME, standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else NAME
        message = error.format_message()
        stop = "" if message.endswith(("?", ".")) else "."
        return _fail(f"{message}{stop} See `{command.replace(NAME, program(), 1)} --help`.", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except click.Abort:  # Ctrl-C or Ctrl-D at a prompt
        return _fail("Nothing was changed.", 1)
    except UserError as error:
        return _fail(str(error), 1)
    except Exception as error:
        from event_assets.orchestration.failures import INTERRUPTS, plain_error  # imports Dagster

        failure = plain_error(error)
        if isinstance(failure, INTERRUPTS):  # DuckDB makes an error of it
            return _interrupted()
    if isinstance(failure, click.ClickException):
        return _fail(failure.format_message(), 1)
    raise failure


def _interrupted() -> int:
    process.note_interrupt()
    return 128 + signal.SIGINT


def _fail(sentence: str, status: int) -> int:
    if sentence:
        print(sentence, file=sys.stderr)
    return status
