"""Command-line options for the faults, derived from the dataclass."""

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import click

from event_assets.sandbox.faults import Faults


def fault_options() -> list[click.Parameter]:
    """Return an option for each fault."""
    hints = get_type_hints(Faults, include_extras=True)
    options: list[click.Parameter] = []
    for fault in dataclasses.fields(Faults):
        kind, note, *parse = get_args(hints[fault.name])
        if kind is bool:
            options.append(click.Option([_flag(fault.name)], is_flag=True, help=note))
        else:
            options.append(
                click.Option(
                    [_flag(fault.name)],
                    type=parse[0] if parse else kind,
                    default=fault.default,
                    metavar="VALUE",
                    help=note,
                )
            )
    return options


def select_faults(options: Mapping[str, Any]) -> Faults:
    """Return the faults that parsed options set."""
    return Faults(**{fault.name: options[fault.name] for fault in dataclasses.fields(Faults)})


def build_flags(faults: Faults) -> list[str]:
    """Return the flags that set `faults`."""
    flags: list[str] = []
    for fault in dataclasses.fields(Faults):
        value: object = getattr(faults, fault.name)
        if value is True:
            flags.append(_flag(fault.name))
        elif value != fault.default:
            flags.append(f"{_flag(fault.name)}={value}")
    return flags


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
