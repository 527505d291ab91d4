"""The report of a probe: a line for each check, what to set, and a summary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from event_assets.values.conversion import to_json
from event_assets.values.redaction import KNOWN
from event_assets.values.wording import counted, shorten

# `warn`: a sync works, but look at it; `fail`: it does not; `-`: not applicable
Mark = Literal["ok", "warn", "fail", "-"]


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    mark: Mark
    message: str  # with figures, and what to do when it is not ok; without secrets
    changes: Mapping[str, Any] = field(default_factory=dict)  # what fixes it: `paginator.limit`

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", KNOWN.redact_text(self.message))


ok = partial(Finding, "ok")
warn = partial(Finding, "warn")
fail = partial(Finding, "fail")
skip = partial(Finding, "-")


def advise(mark: Mark, problem: str, changes: Mapping[str, Any]) -> Finding:
    """Return a finding that ends with the settings that fix it, if there are any."""
    settings = []
    for path, value in changes.items():
        name, text = re.sub(r"^(paginator|fields\.\w+)\.", "", path), describe_settings(value)
        settings.append(f"`{name}: {f'{{{text}}}' if isinstance(value, Mapping) else text}`")
    advice = f"; set {', '.join(settings)}" if settings else ""
    return Finding(mark, f"{problem}{advice}.", changes)


def describe_settings(value: Any) -> str:
    """Return the settings of a paginator, or another value, as people write them."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {shown(one)}" for name, one in value.items())
    return shown(value)


def shown(value: Any, max_length: int = 40) -> str:
    """Return a value of an API on one line, without secrets: text as it is, else as JSON."""
    text = KNOWN.redact_text(value if isinstance(value, str) else to_json(value))
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shorten(text, max_length)


def shown_list(values: Iterable[Any]) -> str:
    """Return the values in backquotes, with commas between."""
    return ", ".join(f"`{shown(value)}`" for value in values)


@dataclass(frozen=True)
class Report:
    """All findings, and metrics of the first page."""

    findings: Mapping[str, Finding]  # by the name of the check, in the order of the report
    error: str = ""  # why there is no first page; empty when there is one
    metrics: Mapping[str, int | float] = field(default_factory=dict)  # by their names in Dagster

    @property
    def has_failures(self) -> bool:
        """Return whether a check failed."""
        return any(finding.mark == "fail" for finding in self.findings.values())

    @property
    def changes(self) -> dict[str, Any]:
        """The settings in the YAML that fix all findings."""
        return {key: value for f in self.findings.values() for key, value in f.changes.items()}

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        marks = Counter(finding.mark for finding in self.findings.values())
        warnings = counted(marks["warn"], "warning")
        if marks["fail"]:
            return f"Not ready: {counted(marks['fail'], 'error')}, {warnings}."
        return f"Ready, with {warnings}." if marks["warn"] else "Ready: all checks passed."

    def format_lines(self) -> list[str]:
        """Return the printed lines of the report."""
        width = max(map(len, self.findings), default=0)
        lines = [f"{f.mark:<5} {name:<{width}}  {f.message}" for name, f in self.findings.items()]
        return [*lines, self.summary]
