"""The report of a probe: a line for each check, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from event_assets.values.wording import counted

Mark = Literal["ok", "warn", "fail", "-"]


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        mark: `ok`; `warn`: a sync works, but look at it; `fail`: it does not; `-`: not applicable.
        message: the result with figures, and what to do when it is not ok.
        changes: values that fix it, by their short paths in the YAML: `paginator.limit`.
    """

    mark: Mark
    message: str
    changes: Mapping[str, Any] = field(default_factory=dict)


ok = partial(Finding, "ok")
warn = partial(Finding, "warn")
fail = partial(Finding, "fail")
skip = partial(Finding, "-")


@dataclass(frozen=True)
class Report:
    """All findings, and metrics of the first page.

    Attributes:
        findings: by the name of the check, in the order of the report.
        error: why there is no first page; empty when there is one.
        metrics: by their names in Dagster.
        first_record: its fields with types and values, as rows.
        secrets: values that must not be shown.
    """

    findings: Mapping[str, Finding]
    error: str = ""
    metrics: Mapping[str, int | float] = field(default_factory=dict)
    first_record: Sequence[Mapping[str, str]] = ()
    secrets: Sequence[str] = field(default=(), repr=False)

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
