"""What is found out about an API: each fact with its evidence, and the questions that remain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Certainty = Literal["sure", "likely", "assumed"]


@dataclass(frozen=True)
class Fact:
    """One fact about an API: `subject` is a part of the configuration, such as `pages`."""

    subject: str
    value: str
    evidence: str
    certainty: Certainty = "sure"


@dataclass(frozen=True)
class Question:
    """What could not be found out.

    Attributes:
        setting: the path in the YAML that answers it, as `--set` takes it.
        choices: by a phrase: the settings (path and value) that this answer makes.
        is_open: whether a sync could miss events, or be wrong, as long as it is not answered.
    """

    setting: str
    text: str
    choices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_open: bool = True
