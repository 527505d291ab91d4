"""Command-line flags for the faults, derived from the dataclass."""

import argparse
import dataclasses
from typing import get_args, get_type_hints

from event_assets.sandbox.faults import Faults


def add_fault_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each fault to `parser`."""
    hints = get_type_hints(Faults, include_extras=True)
    group = parser.add_argument_group("faults, all off by default (0 means never)")
    for fault in dataclasses.fields(Faults):
        kind, note, *parse = get_args(hints[fault.name])
        if kind is bool:
            group.add_argument(_flag(fault.name), action="store_true", help=note)
        else:
            # Without a metavar, argparse shows the name in capitals.
            options = {"default": fault.default, "metavar": "VALUE", "help": note}
            group.add_argument(_flag(fault.name), type=parse[0] if parse else kind, **options)


def parse_faults(arguments: argparse.Namespace) -> Faults:
    """Return the faults that parsed `arguments` set."""
    names = [fault.name for fault in dataclasses.fields(Faults)]
    return Faults(**{name: getattr(arguments, name) for name in names})


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
