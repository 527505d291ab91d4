"""What commands print: tables that fit the terminal, and JSON."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import click

MAX_CELL = 48  # characters
WIDTH = 160  # characters, where the output is no terminal

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def confirm(question: str) -> None:
    """Ask a question, and abort unless the answer is yes.

    Raises:
        UsageError: there is no terminal to ask.
    """
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask: add --yes")
    click.confirm(question, abort=True)


def print_json(value: Any) -> None:
    """Print a value as JSON; times in ISO 8601, and null for what is no number of JSON."""
    click.echo(json.dumps(_to_json(value), ensure_ascii=False, indent=2))


def print_table(rows: Sequence[Mapping[str, Any]], *, wraps: bool = False) -> None:
    """Print the columns of rows that fit the width, and name the others.

    Args:
        wraps: whether long values take several lines, so that all columns fit; else they are cut.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(width=shutil.get_terminal_size((WIDTH, 0)).columns)
    texts = [{name: to_text(value) for name, value in row.items()} for row in rows]
    shown = [*texts[0]] if wraps else _fitting(texts, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in shown:
        is_number = all(isinstance(row[name], (int, float, type(None))) for row in rows)
        table.add_column(
            name, no_wrap=not wraps, max_width=MAX_CELL, justify="right" if is_number else "left"
        )
    for text in texts:
        table.add_row(*(text[name] for name in shown))
    console.print(table, markup=False)
    if hidden := [name for name in texts[0] if name not in shown]:
        more = f" and {len(hidden) - 8} more" if len(hidden) > 8 else ""
        click.echo(f"No room on the line for: {', '.join(hidden[:8])}{more}.")


def to_text(value: Any) -> str:
    """Return a value on one line, without what a terminal would obey; times in UTC."""
    if isinstance(value, datetime):
        value = (value.astimezone(UTC) if value.tzinfo else value).strftime("%F %H:%M")
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    printable = "".join(char if char.isprintable() else " " for char in text)
    return "" if value is None else printable.strip()


def _fitting(texts: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """Return the first columns that fit the width, each with at most `MAX_CELL` characters."""
    from rich.cells import cell_len

    shown: list[str] = []
    used = 0
    for name in texts[0]:
        used += 2 + max(min(cell_len(text), MAX_CELL) for text in (name, *(t[name] for t in texts)))
        if shown and used > width + 2:
            break
        shown.append(name)
    return shown


def _to_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(_to_json(name)): _to_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [*map(_to_json, value)]
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, (str, int, float, type(None))):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
