"""What is found out about an API: each fact with its evidence, and the questions that remain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass
class Discovery:
    """What is known of an API, and the configuration that follows.

    Attributes:
        document: the source's `defs.yaml`; empty as long as no records were found.
        comments: why a line of the document is as it is, by its keys.
        variables: the secrets by the names of their variables in `.env`.
        events: five events as they will be in the table.
        requests: how many were sent.
    """

    name: str
    facts: list[Fact] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    comments: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict, repr=False)
    events: Sequence[Mapping[str, Any]] = ()
    requests: int = 0

    @property
    def open_questions(self) -> list[Question]:
        """The questions without an answer to which nothing must be written."""
        return [question for question in self.questions if question.is_open]
