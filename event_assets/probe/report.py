"""What the probe found: a line for each thing that was asked, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Mark = Literal["ok", "warn", "fail", "-"]
Setting = tuple[str, ...]  # what is changed: ("data_selector",), ("from", FIELD), ...


@dataclass(frozen=True)
class Finding:
    """One line.

    Attributes:
        mark: `ok`; `warn`: a sync works, but look; `fail`: it does not; `-`: does not apply.
        name: what was asked.
        sentence: the answer, with figures, and what to do when it is not ok.
        changes: of the YAML, that would mend it.
    """

    mark: Mark
    name: str
    sentence: str
    changes: Mapping[Setting, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All lines, and the figures of the first page.

    Attributes:
        findings: in the order in which they are read.
        unanswered: why there is no first page; empty when there is one.
        figures: by the names that they have in Dagster.
        shape: of the first record: its fields with their types and values, as rows.
        secrets: what must not be shown.
    """

    findings: Sequence[Finding]
    unanswered: str = ""
    figures: Mapping[str, int | float] = field(default_factory=dict)
    shape: Sequence[Mapping[str, str]] = ()
    secrets: Sequence[str] = field(default=(), repr=False)

    @property
    def failed(self) -> bool:
        """Does something keep a sync from being right?"""
        return any(finding.mark == "fail" for finding in self.findings)

    @property
    def changes(self) -> dict[Setting, Any]:
        """All that would be mended in the YAML."""
        return {setting: value for f in self.findings for setting, value in f.changes.items()}

    @property
    def verdict(self) -> str:
        """Say in one line whether a sync will be right."""
        marks = Counter(finding.mark for finding in self.findings)
        warnings = f"{marks['warn']} warning{'' if marks['warn'] == 1 else 's'}"
        if marks["fail"]:
            return f"Not ready: {marks['fail']} to mend, {warnings}."
        return f"Ready, with {warnings}." if marks["warn"] else "Ready: all is as it should be."

    def lines(self) -> list[str]:
        """Give the report as it is printed."""
        width = max((len(finding.name) for finding in self.findings), default=0)
        return [
            *(f"{f.mark:<5} {f.name:<{width}}  {f.sentence}" for f in self.findings),
            self.verdict,
        ]
