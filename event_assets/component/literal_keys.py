"""Find keys that stand in a source's YAML, where everyone who reads the project sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

from event_assets.component.yaml_file import Scalar
from event_assets.config.accounts import FORMATTED_KEYS
from event_assets.config.model import Keys
from event_assets.config.settings import SECRET_PARAMETERS
from event_assets.config.source_files import DEFAULT_SOURCE
from event_assets.values.redaction import looks_random

AUTH_KEYS = SECRET_PARAMETERS.keys() - {"client_id"}  # which is no secret
# Names of parameters and headers that hold keys: no `keyword`, `sort_key` or `page_token`.
NAME = re.compile(
    r"(.*[_.-])?(api|auth|access|secret|private|subscription|bearer)[_.-]?(key|token)"
    r"|key|token|authorization|.*(secret|password)",
    re.IGNORECASE,
)
# The last word of `Bearer ...`: of 8 or more characters, with letters and digits, or with small and
# capital letters as base64 has them.
VALUE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])\S{8,}|(?=.*[a-z][A-Z])\S{12,}")
PUBLIC = re.compile(
    r"your|example|sample|demo|dummy|public|guest|anonymous|replace|change|[<>*{}]|(.)\1{3}",
    re.IGNORECASE,
)


def find_literal_keys(
    scalars: Iterable[tuple[Keys, Scalar]], source: str
) -> Iterator[tuple[Keys, str]]:
    """Yield each value of the YAML that is a key, with what to do about it.

    What is empty, short, a word, a placeholder or a template is none: it may be public.
    """
    prefix = "" if source == DEFAULT_SOURCE else f"{source.upper()}__"
    for at, keys, text in _with_queries(scalars):
        name, word = str(keys[-1]) if keys else "", text.split(" ")[-1]
        is_sent = FORMATTED_KEYS.intersection(keys[:-1]) and NAME.fullmatch(name)
        is_auth = "auth" in keys[:-1] and name in AUTH_KEYS
        is_key = looks_random if name == "username" else VALUE.fullmatch
        if (is_sent or is_auth) and is_key(word) and not PUBLIC.search(word):
            variable = prefix + (SECRET_PARAMETERS[name] if is_auth else "API_KEY")
            yield (
                at,
                f"holds a key, which all who have this file can read: put it into .env as "
                f'{variable}=..., and write "{{{{ env.{variable} }}}}" here',
            )


def _with_queries(scalars: Iterable[tuple[Keys, Scalar]]) -> Iterator[tuple[Keys, Keys, str]]:
    """Yield where a value is, its keys and itself, also of each parameter in a path."""
    for keys, scalar in scalars:
        text = str(scalar.value or "")
        yield keys, keys, text
        if keys and keys[-1] == "path":
            query = parse_qsl(text.partition("?")[2])
            yield from ((keys, ("params", name), value) for name, value in query)
