"""One event platform, as its configuration says it: resources, contract, what a sync may ask."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from event_assets._compat.dlt import resolve_resources
from event_assets.config import accounts as names_of_accounts
from event_assets.config.accounts import ACCOUNT, AccountsConfig
from event_assets.config.fields import FieldConfig
from event_assets.config.http import CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.values.json_paths import parse_path
from event_assets.values.naming import normalize_name
from event_assets.values.urls import origin

MAX_REJECTS = 0.05  # of all records
DEFAULT_SOURCE = "events"
EVENT_DATA = "event_data"
SANDBOX = "the built-in sandbox"
CHECKPOINT_ROWS = 1_000_000


@dataclass(frozen=True)
class SourceConfig:
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
    fields: Mapping[str, FieldConfig] = field(default_factory=dict)
    concurrency: int = CONCURRENCY
    exclude: Sequence[str] = ()
    only: Sequence[str] = ()
    max_rejects: float = MAX_REJECTS
    ignore_changes: Sequence[str] = ()
    windows: TimeWindowsConfig | None = None
    limits: HttpLimits = DEFAULT_LIMITS
    checkpoint_rows: int = CHECKPOINT_ROWS
    accounts: AccountsConfig | None = None
    account: str | None = None
    known_accounts: Collection[str] = ()

    def for_account(self, account: str, known: Collection[str] = ()) -> SourceConfig:
        """Give the source as it is for one of its accounts."""
        rest_api = names_of_accounts.substitute_account(self.rest_api, account)
        return replace(self, rest_api=rest_api, account=account, known_accounts=tuple(known))

    @property
    def partition_columns(self) -> Sequence[str]:
        """The columns that are part of every key beside the API's."""
        return [ACCOUNT] if self.accounts else []

    @property
    def is_default_source(self) -> bool:
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
    def resources(self) -> Mapping[str, ResourceConfig]:
        """What is read of the API, `event_data` first, each after the one that it depends on."""
        rest_api = self.rest_api
        if self.accounts and self.account is None:  # a placeholder that dlt does not know
            rest_api = names_of_accounts.substitute_account(
                rest_api, names_of_accounts.DUMMY_ACCOUNT
            )
        configured = copy.deepcopy(list(rest_api["resources"]))
        found = resolve_resources(rest_api.get("resource_defaults", {}), configured)
        events_first = sorted(found, key=lambda resource: resource[0] != EVENT_DATA)
        return {
            name: ResourceConfig(self, name, config, params)
            for name, config, params in events_first
        }

    @property
    def events(self) -> ResourceConfig:
        """The resource that gives the events."""
        return self.resources[EVENT_DATA]


@dataclass(frozen=True)
class ResourceConfig:
    """One list that the API gives, and the table that it fills.

    Attributes:
        source: whose it is.
        name: of the list in dlt's configuration, and of the table.
        config: dlt's configuration of it, with the defaults merged in by dlt.
        params: which fields of its parent's records go into its requests.
    """

    source: SourceConfig
    name: str
    config: Mapping[str, Any]
    params: Sequence[Any] = ()

    @property
    def is_events(self) -> bool:
        """Are its records the events, which keep the contract?"""
        return self.name == EVENT_DATA

    @property
    def pipeline(self) -> str:
        """Name of the dlt pipeline and schema that fill the table."""
        if self.source.account is not None:
            return names_of_accounts.pipeline_name(self.source.name, self.name, self.source.account)
        return self.source.name if self.is_events else f"{self.source.name}__{self.name}"

    @property
    def endpoint(self) -> Mapping[str, Any]:
        """dlt's configuration of its requests."""
        return cast("Mapping[str, Any]", self.config["endpoint"])

    @property
    def parent(self) -> str | None:
        """The resource from whose records its requests are made."""
        return self.params[0].resolve_config["resource"] if self.params else None

    @property
    def parent_fields(self) -> Sequence[str]:
        """The fields of the parent's records that are needed."""
        asked = [param.resolve_config["field"] for param in self.params]
        return list(dict.fromkeys([*asked, *self.config.get("include_from_parent", ())]))

    @property
    def key(self) -> Sequence[str]:
        """The API's names of what tells one record from all others; may be empty."""
        given = self.config.get("primary_key") or ("id" if self.is_events else ())
        own = [given] if isinstance(given, str) else list(given)
        # Of a list of each parent: what tells one parent from the others.
        of_parent = [
            f"_{self.parent}_{name}" for name in self.config.get("include_from_parent", ())
        ]
        return [*(name for name in of_parent if name not in own), *own] if own else own

    @property
    def primary_key_columns(self) -> Sequence[str]:
        """The columns by which the table is merged; none: it is replaced."""
        if self.is_events:
            return ["id"]
        return ["__".join(map(normalize_name, parse_path(key))) for key in self.key]
