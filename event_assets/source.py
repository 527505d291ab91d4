"""One event platform, as its configuration says it: resources, contract, what a sync may ask."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from dlt.sources.rest_api.config_setup import build_resource_dependency_graph
from dlt.sources.rest_api.typing import EndpointResourceBase

from event_assets import accounts as names_of_accounts
from event_assets.accounts import ACCOUNT, Accounts
from event_assets.api_errors import origin
from event_assets.columns import Selection
from event_assets.fields import NAMING, Field, Reader, readers, values_at
from event_assets.increments import Increment
from event_assets.limits import LIMITS, Limits
from event_assets.rejects import MAX_REJECTS
from event_assets.transport import CONCURRENCY
from event_assets.windows import Windows

DEFAULT_SOURCE = "events"
EVENT_DATA = "event_data"
SANDBOX = "the built-in sandbox"
CHECKPOINT_ROWS = 1_000_000


@dataclass(frozen=True)
class EventSource:
    """One event platform: where its API is, and what its events look like.

    Attributes:
        name: the source's folder under `defs/`, its schema in DuckDB and its dlt pipeline.
        rest_api: dlt's REST API configuration; without `client.base_url`: the sandbox.
        fields: the typed columns of `event_data`, by name.
        concurrency: requests in flight at the most.
        exclude, only: paths in the records that become no columns, or the only ones that do.
        max_rejects: the share of the records that may break the contract.
        ignore_changes: columns whose changes are not noted in `event_changes`.
        windows: the windows of time in which the list is read, where it cannot be read whole.
        limits: what one answer may take, in time and size.
        checkpoint_rows: rows after which a first sync loads what came; 0: all comes at once.
        accounts: where its accounts are listed, if it has any.
        account: the one that is synced; None: all, or there are none.
        known_accounts: the names of all, as far as they are known.
    """

    name: str
    rest_api: Mapping[str, Any]
    fields: Mapping[str, Field] = field(default_factory=dict)
    concurrency: int = CONCURRENCY
    exclude: Sequence[str] = ()
    only: Sequence[str] = ()
    max_rejects: float = MAX_REJECTS
    ignore_changes: Sequence[str] = ()
    windows: Windows | None = None
    limits: Limits = LIMITS
    checkpoint_rows: int = CHECKPOINT_ROWS
    accounts: Accounts | None = None
    account: str | None = None
    known_accounts: Collection[str] = ()

    def of_account(self, account: str, known: Collection[str] = ()) -> EventSource:
        """Give the source as it is for one of its accounts."""
        rest_api = names_of_accounts.in_account(self.rest_api, account)
        return replace(self, rest_api=rest_api, account=account, known_accounts=tuple(known))

    @property
    def own_key(self) -> Sequence[str]:
        """The columns that are part of every key beside the API's."""
        return [ACCOUNT] if self.accounts else []

    @property
    def is_default(self) -> bool:
        """Is it the one whose assets and keys go without its name?"""
        return self.name == DEFAULT_SOURCE

    @property
    def base_url(self) -> str | None:
        """The API's address, or None for the sandbox."""
        return self.rest_api["client"].get("base_url") or None

    @property
    def api(self) -> str:
        """The API in words: its scheme, host and port, or the sandbox."""
        return origin(self.base_url) if self.base_url else SANDBOX

    @cached_property
    def version(self) -> str:
        """Changes with what decides what is in the tables: the API's configuration, the fields."""
        contract = {
            "rest_api": self.rest_api,
            "exclude": list(self.exclude),
            "only": list(self.only),
            "fields": {name: field.model_dump() for name, field in self.fields.items()},
        }
        return hashlib.sha256(json.dumps(contract, sort_keys=True).encode()).hexdigest()[:12]

    @cached_property
    def resources(self) -> Mapping[str, Resource]:
        """What is read of the API, `event_data` first, each after the one that it depends on."""
        rest_api = self.rest_api
        if self.accounts and self.account is None:  # a placeholder that dlt does not know
            rest_api = names_of_accounts.in_account(rest_api, names_of_accounts.STAND_IN)
        configured = copy.deepcopy(list(rest_api["resources"]))
        defaults = cast("EndpointResourceBase", rest_api.get("resource_defaults", {}))
        order, known, params = build_resource_dependency_graph(defaults, configured)
        names = sorted(order.static_order(), key=lambda name: name != EVENT_DATA)
        return {
            name: Resource(self, name, cast("Mapping[str, Any]", known[name]), params[name] or ())
            for name in names
        }

    @property
    def events(self) -> Resource:
        """The resource that gives the events."""
        return self.resources[EVENT_DATA]

    def contract(self) -> dict[str, Reader]:
        """Give what reads the contract's fields, by name."""
        return self.events.contract()

    def selection(self) -> Selection:
        """Give what says which fields of the events are kept."""
        return self.events.selection()


@dataclass(frozen=True)
class Resource:
    """One list that the API gives, and the table that it fills.

    Attributes:
        source: whose it is.
        name: of the list in dlt's configuration, and of the table.
        config: dlt's configuration of it, with the defaults merged in by dlt.
        params: which fields of its parent's records go into its requests.
    """

    source: EventSource
    name: str
    config: Mapping[str, Any]
    params: Sequence[Any] = ()

    @property
    def has_events(self) -> bool:
        """Are its records the events, which keep the contract?"""
        return self.name == EVENT_DATA

    @property
    def pipeline(self) -> str:
        """Name of the dlt pipeline and schema that fill the table."""
        if self.source.account is not None:
            return names_of_accounts.pipeline_of(self.source.name, self.name, self.source.account)
        return self.source.name if self.has_events else f"{self.source.name}__{self.name}"

    @property
    def endpoint(self) -> Mapping[str, Any]:
        """dlt's configuration of its requests."""
        return cast("Mapping[str, Any]", self.config["endpoint"])

    @property
    def parent(self) -> str | None:
        """The resource from whose records its requests are made."""
        return self.params[0].resolve_config["resource"] if self.params else None

    @property
    def of_parent(self) -> Sequence[str]:
        """The fields of the parent's records that are needed."""
        asked = [param.resolve_config["field"] for param in self.params]
        return list(dict.fromkeys([*asked, *self.config.get("include_from_parent", ())]))

    @property
    def increment(self) -> Increment | None:
        """How the API is asked for what is new only, where it can be."""
        return Increment.of(self.endpoint)

    @property
    def key(self) -> Sequence[str]:
        """The API's names of what tells one record from all others; may be empty."""
        given = self.config.get("primary_key") or ("id" if self.has_events else ())
        own = [given] if isinstance(given, str) else list(given)
        # Of a list of each parent: what tells one parent from the others.
        of_parent = [
            f"_{self.parent}_{name}" for name in self.config.get("include_from_parent", ())
        ]
        return [*(name for name in of_parent if name not in own), *own] if own else own

    def contract(self) -> dict[str, Reader]:
        """Give what reads the typed fields, by name: the contract's, or else the key."""
        if self.has_events:
            return readers(self.source.fields, self.key[0] if len(self.key) == 1 else self.key)
        return {
            name: Reader(name, Field(type="text", nullable=False, **{"from": key}))
            for name, key in zip(self.columns_of_key, self.key, strict=True)
        }

    @property
    def columns_of_key(self) -> Sequence[str]:
        """The columns by which the table is merged; none: it is replaced."""
        if self.has_events:
            return ["id"]
        return [
            "__".join(NAMING.normalize_identifier(part) for part in key.split("."))
            for key in self.key
        ]

    def selection(self) -> Selection:
        """Give what says which fields are kept."""
        if not self.has_events:
            return Selection()
        read = [path for reader in self.contract().values() for path in reader.origins]
        paths = [tuple(path.split(".")) for path in read]
        return Selection(self.source.exclude, self.source.only, paths)

    def id_of(self) -> Callable[[Any], Hashable]:
        """Give what tells a record's id; None where it has none."""
        if not self.has_events:
            own = [name for name in self.key if not name.startswith(f"_{self.parent}_")]
            return lambda record: _key_in(record, own)
        reader = self.contract()["id"]
        if reader.whole and len(reader.whole) == 1:
            (name,) = reader.whole
            return lambda record: _as_text(record.get(name)) if type(record) is dict else None
        return lambda record: _as_text(reader.values([record])[0])


def _key_in(record: Any, names: Sequence[str]) -> Hashable:
    if type(record) is not dict or not names:
        return None
    values = tuple(_as_text(values_at([record], name)[0]) for name in names)
    return None if None in values else values


def _as_text(key: Any) -> Hashable:
    """7 and "7" are one event."""
    return str(key) if type(key) is int else cast("Hashable", key)
