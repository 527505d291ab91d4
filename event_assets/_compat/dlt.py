"""What dlt does not publish: how it reads a configuration, finds secrets, and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import dlt
from dlt.common.typing import TSecretStrValue
from dlt.extract.incremental import lag as dlt_lag
from dlt.extract.incremental.lag import _cursor_date_type
from dlt.sources.helpers.rest_client.detector import PaginatorFactory
from dlt.sources.helpers.rest_client.paginators import (
    BasePaginator,
    BaseReferencePaginator,
    SinglePagePaginator,
)
from dlt.sources.rest_api.config_setup import build_resource_dependency_graph
from dlt.sources.rest_api.config_setup import create_paginator as create_paginator
from requests import Response

SecretReader = Callable[[Sequence[str]], tuple[str | None, str]]


def resolve_resources(
    defaults: Any, resources: Sequence[Any]
) -> Iterator[tuple[str, Any, Sequence[Any]]]:
    """Yield each resource of a configuration after its parent, as dlt merges the defaults into it.

    Returns:
        Its name, its configuration, and the parameters that come from its parent's records.
    """
    graph, resolved, params = build_resource_dependency_graph(defaults, list(resources))
    for name in graph.static_order():
        config: Any = resolved[name]
        endpoint = config["endpoint"]
        if isinstance(endpoint.get("paginator"), SinglePagePaginator):  # of a path to one record
            endpoint["paginator"] = "single_page"
        yield name, config, params[name] or ()


def secret_readers() -> list[SecretReader]:
    """Return a reader for each of dlt's providers of secrets, in the order in which dlt asks them.

    A reader takes the sections and the key. It returns the secret, or None, and the name under
    which the provider looks for it.
    """
    return [partial(_read_secret, provider) for provider in dlt.secrets.config_providers]


def _read_secret(provider: Any, path: Sequence[str]) -> tuple[str | None, str]:
    *sections, key = path
    value, name = provider.get_value(key, TSecretStrValue, None, *sections)
    return value, name


def apply_lag(lag: float, initial_value: Any, value: Any) -> Any:
    """Return a cursor value less dlt's `lag`, in the unit that the initial value decides.

    Raises:
        ValueError: dlt does not know the notation of the value.
    """
    # without the initial value itself, to which dlt compares the result as text
    return dlt_lag.apply_lag(lag, None, value, max, _cursor_date_type(None, initial_value))


def detect_paginator(response: Response) -> BasePaginator:
    """Return the paginator that dlt chooses for a first response."""
    paginator, _ = PaginatorFactory().create_paginator(response)
    return paginator


def get_reference(paginator: BaseReferencePaginator) -> Any:
    """Return the link or cursor to the next page; None at the end."""
    return paginator._next_reference


def set_reference(paginator: BaseReferencePaginator, reference: Any) -> None:
    """Set the link or cursor to the next page; None: there is none."""
    paginator._next_reference = reference
