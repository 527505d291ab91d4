"""Build the first request of each list from dlt's REST API configuration."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby
from operator import itemgetter
from typing import Any, cast
from urllib.parse import quote

import dlt
from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.rest_api.typing import RESTAPIConfig
from requests import PreparedRequest, Request, Session

from event_assets.config.source import ResourceConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.http.adapter import replace_parts
from event_assets.values.conversion import to_wire
from event_assets.values.errors import ConfigError

Record = Mapping[str, Any]
# Stands for a field of a parent's record; no configuration contains such characters.
MARKER = re.compile("\ue000(.*?)\ue001")


class _RecordingSession(Session):
    """A session that sends no request: dlt takes each response for one to be ignored."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []

    def prepare_request(self, request: Request) -> PreparedRequest:
        self.requests.append(request)
        raise IgnoreResponseException


def build_first_request(resource: ResourceConfig, base_url: str, cursor_value: Any) -> Request:
    """Have dlt validate and resolve a resource's configuration, up to its first request.

    The request holds dlt's response hooks, but neither the key nor the parameters of pages; markers
    stand for fields of the parent's record, which `list_requests` replaces.

    Args:
        cursor_value: the newest one loaded, if the resource is incremental; None: all is requested.

    Raises:
        ConfigError: No request is sent.
        ValueError, DictValidationException: dlt rejects the configuration.
    """
    config = copy.deepcopy(dict(resource.config))
    if cursor := IncrementalCursor.configured(resource.endpoint):
        config["endpoint"] = cursor.apply_to(config["endpoint"], cursor_value)
    config["endpoint"].pop("auth", None)  # the session adds the key, out of dlt's sight
    config["endpoint"]["paginator"] = "single_page"
    config["endpoint"].pop("data_selector", None)
    config.pop("include_from_parent", None)  # dlt takes no path; `list_requests` includes them
    session = _RecordingSession()
    given = resource.source.rest_api["client"].get("headers") or {}
    headers = to_wire({name: value for name, value in given.items() if value is not None})
    resources: list[Any] = [config]
    if resource.parent:
        record = _nest({field: f"\ue000{field}\ue001" for field in resource.parent_fields})
        resources.insert(0, dlt.resource([[record]], name=resource.parent, selected=False))
    rest_api = {
        "client": {"headers": headers, "base_url": base_url, "session": session},
        "resources": resources,
    }
    *_, requested = rest_api_resources(cast("RESTAPIConfig", rest_api))  # after its parent
    list(requested)
    if not session.requests:
        raise ConfigError(f"The configuration of `{resource.name}` sends no request.")
    first = session.requests[0]
    sent = {name: to_wire(vars(first)[name]) for name in ("headers", "params", "data")}
    return replace_parts(first, **sent)


def list_requests(
    resource: ResourceConfig, first: Request, parents: Iterable[Record]
) -> Iterator[tuple[Request, Sequence[Record]]]:
    """Yield the first request of each list, and the parents' fields that its records include.

    Args:
        first: the request of `build_first_request`.
        parents: the parent records, as fields by path, those with the same fields of requests one
            after the other; none are needed if there is no parent.
    """
    if not resource.parent:
        yield first, [{}]
        return
    included = resource.included_fields.items()
    for _, group in groupby(parents, itemgetter(*resource.requested_fields)):
        records = list(group)
        record = records[0]
        request = replace_parts(
            first,
            url=_fill_path(first.url, record),
            headers=_fill(first.headers, record, to_wire),
            params=_fill(first.params, record, to_wire),
            data=_fill(first.data, record, to_wire),
            json=_fill(first.json, record),
        )
        yield (request, [{name: of[field] for name, field in included} for of in records])


def build_unknown_parent(record: Record) -> Record:
    """Return a parent's record with values of the same form that no parent has."""
    return {
        field: 0 if isinstance(value, int) else re.sub(r"\w", "0", str(value))
        for field, value in record.items()
    }


def _fill(value: Any, record: Record, convert: Callable[[Any], Any] = lambda value: value) -> Any:
    """Replace the markers in a value; as in dlt, one that is the whole text keeps its type."""
    if isinstance(value, str):
        whole = MARKER.fullmatch(value)
        if whole:
            return convert(record[whole[1]])
        return MARKER.sub(lambda found: str(to_wire(record[found[1]])), value)
    if isinstance(value, Mapping):
        return {
            _fill(name, record, str): _fill(member, record, convert)
            for name, member in value.items()
        }
    return [_fill(member, record, convert) for member in value] if type(value) is list else value


def _fill_path(url: str, record: Record) -> str:
    return MARKER.sub(lambda found: _escape(record[found[1]]), url)


def _escape(value: Any) -> str:
    """Escape a value for a path; `.` and `..` twice, because requests undoes one level."""
    text = quote(str(to_wire(value)), safe="")
    return text.replace(".", "%252E") if text in (".", "..") else text


def _nest(fields: Record) -> dict[str, Any]:
    """Return a record with fields given by path: `a.b` is member b of a."""
    record: dict[str, Any] = {}
    for path, value in fields.items():
        *objects, name = path.split(".")
        reduce(lambda inside, part: inside.setdefault(part, {}), objects, record)[name] = value
    return record
