"""From a source's REST API configuration to a dlt source: checked, with its key, or the sandbox."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.extract import DltResource, DltSource
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.config_setup import create_auth
from dlt.sources.rest_api.typing import AuthConfig, RESTAPIConfig
from requests.auth import AuthBase

from event_assets import sandbox
from event_assets.records import Field, columns
from event_assets.transport import ApiSession

EVENT_DATA = "event_data"
UNSET_URL = "http://unset.invalid"  # stands for the API while definitions load


class ConfigError(ValueError):
    """The configuration cannot work. The message says where and what to do."""


@dataclass(frozen=True)
class EventSource:
    """One event platform: where its API is, and what its events look like.

    Attributes:
        name: the source's folder under `defs/`, its schema in DuckDB and its dlt pipeline.
        rest_api: dlt's REST API configuration; without `client.base_url`: the sandbox.
        fields: the typed columns of `event_data`, by name.
    """

    name: str
    rest_api: Mapping[str, Any]
    fields: Mapping[str, Field] = field(default_factory=dict)

    @property
    def base_url(self) -> str | None:
        """The API's address, or None for the sandbox."""
        return self.rest_api["client"].get("base_url") or None

    def declared(self) -> DltSource:
        """Build the dlt source as definitions need it: without key, network or folder."""
        return self._dlt_source(self.base_url or UNSET_URL, session=None)

    @contextmanager
    def connected(self) -> Iterator[DltSource]:
        """Give the dlt source, ready to be read, and close its connections afterwards.

        Raises:
            ConfigError: when the key is missing.
        """
        with self._api() as (base_url, key), _session(base_url, self._auth(key)) as session:
            yield self._dlt_source(base_url, session)

    @contextmanager
    def _api(self) -> Iterator[tuple[str, str | None]]:
        if self.base_url:
            yield self.base_url, None
        else:
            with sandbox.process() as url:
                yield url, sandbox.KEY

    def _auth(self, key: str | None) -> AuthBase | None:
        config = self.rest_api["client"].get("auth")
        if isinstance(config, Mapping) and config.get("type") == "api_key":
            config = {**config, "api_key": key or self._key()}
        return create_auth(cast("AuthConfig", config))

    def _key(self) -> str:
        for place in (f"{self.name}.api_key", "api_key"):
            try:
                return str(dlt.secrets[place])
            except (KeyError, ConfigFieldMissingException):
                continue
        raise ConfigError(
            f"No key for the API at {self.base_url}: set API_KEY in .env or in the environment "
            f"(or api_key in .dlt/secrets.toml)."
        )

    def _dlt_source(self, base_url: str, session: ApiSession | None) -> DltSource:
        config = copy.deepcopy(dict(self.rest_api))
        client = config["client"]
        client.update(base_url=base_url, session=session)
        client.pop("auth", None)  # the session adds the key, out of dlt's sight
        source = rest_api_source(
            cast("RESTAPIConfig", config), name=self.name, section=self.name, max_table_nesting=0
        )
        source.resources[EVENT_DATA] = self._event_data(source.resources[EVENT_DATA])
        return source

    def _event_data(self, records: DltResource) -> DltResource:
        """Wrap the API's records, so that the table is there even when there are none."""

        def event_data() -> Iterator[Any]:
            yield dlt.mark.materialize_table_schema()
            yield from records

        of_events = next(r for r in self.rest_api["resources"] if r["name"] == EVENT_DATA)
        hints = {**self.rest_api.get("resource_defaults", {}), **of_events}
        for of_requests in ("endpoint", "include_from_parent"):
            hints.pop(of_requests, None)
        hints["columns"] = columns(self.fields) | hints.get("columns", {})
        return dlt.resource(event_data, **hints)


@contextmanager
def _session(base_url: str, auth: AuthBase | None) -> Iterator[ApiSession]:
    with ApiSession(base_url, auth) as session:
        yield session
