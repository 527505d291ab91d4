"""What `connect` knows of an API: what the person said, what was found, and what is in doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from event_assets.config.model import Keys
from event_assets.config.source import SourceConfig
from event_assets.http.credentials import env_var_name
from event_assets.probe.authentication import Attempt
from event_assets.probe.client import Client
from event_assets.probe.request_input import RequestInput
from event_assets.probe.source_yaml import find_keys, get_setting
from event_assets.values.redaction import MIN_SECRET_LENGTH

Certainty = Literal["sure", "likely", "assumed"]
Choices = Mapping[str, Mapping[str, Any]]  # by a phrase: the settings that an answer makes


@dataclass(frozen=True)
class Fact:
    """One fact about an API: `subject` is a part of the configuration, such as `pages`."""

    subject: str
    value: str
    evidence: str
    certainty: Certainty = "sure"


@dataclass(frozen=True)
class Question:
    """What could not be found out."""

    setting: str  # the path in the YAML that answers it, as `--set` takes it
    text: str
    choices: Choices = field(default_factory=dict)
    is_open: bool = True  # a sync could miss events, or be wrong, as long as it is not answered


@dataclass(frozen=True)
class Options:
    """What a person says of an API, which outranks every guess."""

    url: str | None
    name: str | None = None
    keys: Sequence[str] = field(default=(), repr=False)  # a key; user and password; id and secret
    auth: str | None = None  # its type, as in the YAML
    curl: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)  # by their short paths in the YAML
    openapi: Path | None = None

    def get(self, name: str) -> Any:
        """Return what was set at a short path of the YAML, or None."""
        return get_setting(self.settings, name)


@dataclass
class Discovery:
    """What is known of an API so far, and the configuration that follows."""

    name: str  # of the source
    options: Options
    client: Client = field(repr=False)
    stack: ExitStack = field(repr=False)  # closes what the attempts open
    attempt: Attempt | None = None  # the way to send the key that was accepted
    facts: list[Fact] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)  # `defs.yaml`; empty without records
    comments: dict[Keys, str] = field(default_factory=dict)  # why a line of it is as it is
    variables: dict[str, str] = field(default_factory=dict, repr=False)  # of `.env`, the secrets
    events: Sequence[Mapping[str, Any]] = ()  # five, as they will be in the table
    requests: int = 0  # that were sent

    @property
    def open_questions(self) -> list[Question]:
        """The questions without an answer to which nothing must be written."""
        return [question for question in self.questions if question.is_open]

    @property
    def given(self) -> RequestInput:
        """The request for page 1."""
        return self.client.given

    @property
    def source(self) -> SourceConfig:
        """The source as far as it is known: enough to name its secrets."""
        rest_api = {"client": {"base_url": self.given.base_url}, "resources": []}
        return SourceConfig(name=self.name, rest_api=rest_api)

    @property
    def other_variables(self) -> Mapping[str, str]:
        """The keys beside that of the auth, by the variables of `.env` that hold them."""
        numbered = enumerate(self.given.other_keys, 2 if self.given.key.config else 1)
        names = ((f"api_key_{number}".removesuffix("_1"), key) for number, key in numbered)
        return {env_var_name(self.source, name): key for name, key in names}

    def without_keys(self, value: Any) -> Any:
        """Return a part of the request with variables of `.env` in place of the keys in it."""
        if isinstance(value, Mapping):
            return {name: self.without_keys(member) for name, member in value.items()}
        for name, key in self.other_variables.items() if isinstance(value, str) else ():
            if value == key or len(key) >= MIN_SECRET_LENGTH:  # else it may be an ordinary word
                value = value.replace(key, f"{{{{ env.{name} }}}}")
        return value

    def add(self, subject: str, value: str, evidence: str, certainty: Certainty = "sure") -> None:
        """Add a fact."""
        self.facts.append(Fact(subject, value, evidence, certainty))

    def question(
        self, setting: str, text: str, choices: Choices | None = None, *, is_open: bool = True
    ) -> None:
        """Add a question, unless a setting answers it."""
        keys = find_keys(setting)
        for given in map(find_keys, self.options.settings):
            if given[: len(keys)] == keys or keys[: len(given)] == given:
                return
        self.questions.append(Question(setting, text, choices or {}, is_open))
