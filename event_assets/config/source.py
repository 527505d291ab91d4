"""The configuration of a source: one event platform, its resources and its contract."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from event_assets._compat.dlt import resolve_resources
from event_assets.config import accounts
from event_assets.config.accounts import ACCOUNT, DUMMY_ACCOUNT, AccountsConfig
from event_assets.config.fields import FieldConfig
from event_assets.config.http import DEFAULT_CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.config.source_files import (
    DEFAULT_SOURCE,
    EVENT_DATA,
    SANDBOX,
    find_base_url_variable,
)
from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.values.json_paths import as_list, parse_path
from event_assets.values.naming import normalize_name
from event_assets.values.urls import origin, redact_url

DEFAULT_MAX_REJECTS = 0.05  # share of all records
DEFAULT_RESUME_HOURS = 6.0  # counted from the last response of an interrupted sync; 0: never


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """One event platform: its API and the contract of its events."""

    name: str  # names the folder under `defs/`, the schema in DuckDB and the pipeline
    rest_api: Mapping[str, Any]  # dlt's configuration; the sandbox if it has no `client.base_url`
    fields: Mapping[str, FieldConfig] = field(default_factory=dict)  # columns of `event_data`
    concurrency: int = DEFAULT_CONCURRENCY
    exclude: Sequence[str] = ()  # paths in the records that do not become columns
    only: Sequence[str] = ()  # paths that alone become columns; empty for all
    max_rejects: float = DEFAULT_MAX_REJECTS
    ignore_changes: Sequence[str] = ()  # columns that `event_changes` leaves out
    removed_when: Mapping[str, Any] = field(default_factory=dict)  # marks of removed records
    windows: TimeWindowsConfig | None = None  # if the API limits the rows of one list
    limits: HttpLimits = DEFAULT_LIMITS
    resume_hours: float = DEFAULT_RESUME_HOURS
    accounts: AccountsConfig | None = None
    account: str | None = None  # the account to sync; None for all, or if there are none
    known_accounts: Collection[str] = ()  # the names of all accounts known so far
    for_all: SourceConfig | None = None  # the configuration before its account was filled in
    is_synced: bool = True  # False for the sandbox, if another source has an API

    def for_account(self, account: str, known: Collection[str] = ()) -> SourceConfig:
        """Return the configuration for one of its accounts."""
        rest_api = accounts.substitute_account(self.rest_api, account)
        return replace(
            self, rest_api=rest_api, account=account, known_accounts=tuple(known), for_all=self
        )

    @property
    def partition_columns(self) -> Sequence[str]:
        """Return the columns of every key besides the API's primary key."""
        return [ACCOUNT] if self.accounts else []

    @property
    def is_default_source(self) -> bool:
        """Return whether its assets and secrets are named without the source's name."""
        return self.name == DEFAULT_SOURCE

    @property
    def base_url(self) -> str | None:
        """Return the API's base URL, or None for the sandbox."""
        return self.rest_api["client"].get("base_url") or None

    @property
    def origin(self) -> str:
        """Return the scheme, host and port of the API; a phrase for the sandbox."""
        return origin(self.base_url) if self.base_url else SANDBOX

    @property
    def events_url(self) -> str:
        """Return the URL of the list of events, the same for all accounts, without its query."""
        if self.for_all or not self.base_url:
            return self.for_all.events_url if self.for_all else SANDBOX
        path = str(self.events.endpoint.get("path") or "")
        is_whole = path.startswith(("http://", "https://"))
        url = path if is_whole else f"{self.base_url.rstrip('/')}/{path.lstrip('/')}"
        return redact_url(url.replace(accounts.PLACEHOLDER, DUMMY_ACCOUNT)).rstrip("/")

    @property
    def url_setting(self) -> str:
        """Return what to set, and where, if there is no base URL."""
        variable = find_base_url_variable(self.name)
        return f"{variable} in .env" if variable else "`base_url` in its defs.yaml"

    @property
    def base_url_setting(self) -> str:
        """Return the setting that holds the API's address: a variable, or `base_url`."""
        variable = find_base_url_variable(self.name)
        if variable and os.environ.get(variable) == self.base_url:
            return variable
        return "`base_url`"

    @cached_property
    def config_hash(self) -> str:
        """Return a hash of the settings that decide what is in the tables."""
        contract: dict[str, Any] = {
            "rest_api": self.rest_api,
            "exclude": list(self.exclude),
            "only": list(self.only),
            "fields": {
                # What is not set leaves older hashes as they are.
                name: field.model_dump(exclude=None if field.html else {"html"})
                for name, field in self.fields.items()
            },
        }
        if self.removed_when:
            contract["removed_when"] = self.removed_when
        if self.windows:
            contract["windows"] = self.windows.model_dump()
        return hashlib.sha256(json.dumps(contract, sort_keys=True).encode()).hexdigest()[:12]

    @cached_property
    def resources(self) -> Mapping[str, ResourceConfig]:
        """Return the resources by name: `event_data` first, each after its parent."""
        rest_api = self.rest_api
        if self.accounts and self.account is None:  # a placeholder that dlt does not know
            rest_api = accounts.substitute_account(rest_api, DUMMY_ACCOUNT)
        configured = copy.deepcopy(list(rest_api["resources"]))
        found = resolve_resources(rest_api.get("resource_defaults", {}), configured)
        events_first = sorted(found, key=lambda resource: resource[0] != EVENT_DATA)
        return {
            name: ResourceConfig(source=self, name=name, config=config, params=params)
            for name, config, params in events_first
        }

    @property
    def events(self) -> ResourceConfig:
        """Return the resource of the events."""
        return self.resources[EVENT_DATA]


@dataclass(frozen=True, kw_only=True)
class ResourceConfig:
    """One resource of the API and the table that it fills."""

    source: SourceConfig
    name: str
    config: Mapping[str, Any]  # dlt's, merged with `resource_defaults`
    params: Sequence[Any] = ()  # dlt's parameters that are resolved from the parent's records

    @property
    def is_events(self) -> bool:
        """Return whether its records are the events, which must keep the contract."""
        return self.name == EVENT_DATA

    @property
    def pipeline_name(self) -> str:
        """Return the name of the dlt pipeline and of dlt's schema."""
        if self.source.account is not None:
            return accounts.pipeline_name(self.source.name, self.name, self.source.account)
        return self.source.name if self.is_events else f"{self.source.name}__{self.name}"

    @property
    def endpoint(self) -> Mapping[str, Any]:
        """Return dlt's configuration of its requests."""
        return cast("Mapping[str, Any]", self.config["endpoint"])

    @property
    def paginator(self) -> Any:
        """Return dlt's configuration of its paginator; None if there is none."""
        return self.endpoint.get("paginator") or self.source.rest_api["client"].get("paginator")

    @property
    def parent(self) -> str | None:
        """Return the parent resource, if its requests need the parent's records."""
        return self.params[0].resolve_config["resource"] if self.params else None

    @property
    def requested_fields(self) -> Sequence[str]:
        """Return the fields of the parent's records that its requests are built from."""
        return list(dict.fromkeys(param.resolve_config["field"] for param in self.params))

    @property
    def parent_fields(self) -> Sequence[str]:
        """Return the fields of the parent's records that it needs, those of its requests first."""
        included = self.config.get("include_from_parent", ())
        return list(dict.fromkeys([*self.requested_fields, *included]))

    @property
    def own_key(self) -> Sequence[str]:
        """Return the paths of the API's primary key in a record; empty if there is none."""
        return as_list(self.config.get("primary_key") or ("id" if self.is_events else ()))

    @property
    def parent_key(self) -> Sequence[str]:
        """Return the fields of the parent that are a part of the key.

        Ids may be unique within the list of one parent only; those of events never are.
        """
        if not self.parent or self.is_events or not self.own_key:
            return []
        parent = self.source.resources[self.parent]
        identity = parent.id_paths if parent.is_events else parent.primary_key or ["id"]
        return identity if set(identity) <= set(self.parent_fields) else self.parent_fields

    @property
    def included_fields(self) -> Mapping[str, str]:
        """Return the fields of the parent that each record includes, by their names there."""
        names = [*self.config.get("include_from_parent", ()), *self.parent_key]
        return {f"_{self.parent}_{name}": name for name in names}

    @property
    def primary_key(self) -> Sequence[str]:
        """Return the paths of the primary key in a record; empty if there is none."""
        names = [f"_{self.parent}_{name}" for name in self.parent_key]
        paths = [f"['{name}']" if "." in name else name for name in names]
        return [*(path for path in paths if path not in self.own_key), *self.own_key]

    @property
    def id_paths(self) -> list[str]:
        """Return the paths or templates from which the `id` of an event is read."""
        field = self.source.fields.get("id")
        given = as_list(field.source) if field else []
        return given or as_list(self.config.get("primary_key") or "id")

    @property
    def own_key_columns(self) -> Sequence[str]:
        """Return the columns of the API's own primary key."""
        columns = self.primary_key_columns
        return columns if self.is_events else columns[len(columns) - len(self.own_key) :]

    @property
    def primary_key_columns(self) -> Sequence[str]:
        """Return the columns that the table is merged on; it is replaced if there are none."""
        if self.is_events:
            return ["id"]
        return ["__".join(map(normalize_name, parse_path(key))) for key in self.primary_key]
