"""Find out how an API works from its answers, and make the configuration of a source of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from event_assets.config.fields import FieldConfig
from event_assets.pagination.totals import parse_count
from event_assets.probe.document import SourceParts, apply_settings, build_document
from event_assets.probe.end_finder import End, find_end, judge_single_page
from event_assets.probe.explorer import Explorer, Page
from event_assets.probe.field_finder import FieldFinder, FieldFinding, find_zone
from event_assets.probe.findings import Discovery
from event_assets.probe.formatting import SafeFormatter
from event_assets.probe.inquiry import Inquiry, Options
from event_assets.probe.openapi import read_openapi
from event_assets.probe.paging_candidates import CURSORS, OFFSETS, PAGES
from event_assets.probe.paging_experiments import Paging, PagingExperiments
from event_assets.probe.reach import find_list, reach
from event_assets.probe.request_input import RequestInput, parse_input
from event_assets.probe.session import ProbeSession
from event_assets.records.contract import FieldReader
from event_assets.values.json_paths import as_list, build_getter
from event_assets.values.naming import normalize_name

__all__ = ["Options", "discover"]

MAX_TO_FIND_OUT = 25  # requests
MAX_TO_REACH_END = 25  # requests more
SECONDS = 180.0
EXAMPLES = 5
HOST_WORDS = {
    *("api", "www", "rest", "app", "com", "org", "net", "io", "co", "de", "uk", "eu", "data"),
    *("public", "developer", "v1", "v2", "v3", "dev", "us", "edu", "gov", "ac", "ch", "fr", "at"),
}
# Parameters that may also be the start of a range of time, or a filter.
MAX_DIGITS = 6  # of the number of a page or row; longer ones may be times
NO_PAGES = {"from", "start", "after", "begin", "index", "next", "token"}
COLUMNS = {"name": "text", "start_time": "timestamp", "end_time": "timestamp"} | {
    "updated_at": "timestamp"
}


def discover(options: Options) -> Discovery:
    """Find out how an API works, with at most 50 requests.

    Raises:
        ConfigError: the address, the curl command or a setting is none.
        ApiError: the API cannot be reached, limits requests, or shows no list.
    """
    given = _without_page(_apply(_parse(options), options))
    secrets = [*options.keys, *given.secrets.values()]
    found = Discovery(options.name or name_source(given.url))
    with ExitStack() as stack:
        session = ProbeSession(given.url, None, SECONDS, secrets, requests_allowed=MAX_TO_FIND_OUT)
        stack.enter_context(session)
        inquiry = Inquiry(options, Explorer(session, given), found, stack)
        try:
            page = reach(inquiry)
            if page is not None:
                _examine(inquiry, find_list(inquiry, page))
        finally:
            found.requests = session.budget.sent
    redact = SafeFormatter(secrets).redact
    found.facts = [
        replace(fact, value=redact(fact.value), evidence=redact(fact.evidence))
        for fact in found.facts
    ]
    return found


def _parse(options: Options) -> RequestInput:
    """Return the request that the options name, with what an OpenAPI file says of it."""
    if options.openapi is None:
        return parse_input(options.url, options.curl)
    described = read_openapi(options.openapi, options.url)
    given = parse_input(described.url, options.curl)
    return replace(given, auth=given.auth or described.auth or None, known_params=described.params)


def name_source(url: str) -> str:
    """Return a name for the source of an address: the word of its host that tells most."""
    host = urlsplit(url).hostname or ""
    words = [word for word in host.split(".") if word not in HOST_WORDS and not word.isdecimal()]
    name = normalize_name(words[-1] if words else "")
    return name if re.fullmatch(r"[a-z]\w+", name) and name != "localhost" else "my_api"


def _apply(given: RequestInput, options: Options) -> RequestInput:
    """Return a request with what settings say of its parameters, headers and body."""
    params = {**given.params, **(options.get("params") or {})}
    body = options.get("json")
    return replace(
        given,
        params={name: value for name, value in params.items() if value is not None},
        headers={**given.headers, **(options.get("headers") or {})},
        method=options.get("method") or given.method,
        body=given.body if body is None else body,
    )


def _without_page(given: RequestInput) -> RequestInput:
    """Return a request for the first page, whichever was copied."""

    def is_page(name: str, value: Any) -> bool:
        is_number = parse_count(value) is not None and len(str(value)) < MAX_DIGITS
        return name in {*PAGES, *OFFSETS, *CURSORS} and (name not in NO_PAGES or is_number)

    kept = {name: value for name, value in given.params.items() if not is_page(name, value)}
    taken = [name for name in given.params if name not in kept]
    return replace(given, params=kept, known_params=[*taken, *given.known_params])


def _examine(inquiry: Inquiry, page: Page) -> None:
    """Find the fields and the pages of a list, reach its end, and write the document."""
    explorer = inquiry.explorer
    zone = find_zone(page.response.document)
    finder = FieldFinder([row for row in page.rows if isinstance(row, dict)], zone)
    key = as_list(inquiry.options.get("primary_key") or finder.find_id())
    explorer.read_ids, explorer.id_path = _build_id_reader(key, finder), next(iter(key), None)
    page = explorer.read(page.response)
    experiments = PagingExperiments(explorer, page)
    paging = experiments.run(inquiry.options.get("paginator"))
    inquiry.found.facts += paging.facts
    end = _reach_end(inquiry, experiments, paging, page)
    rows = [row for row in end.rows if isinstance(row, dict)]
    finder = FieldFinder(rows or finder.all_records, zone)
    _write(inquiry, paging, finder)


def _build_id_reader(
    key: Sequence[str], finder: FieldFinder
) -> Callable[[Sequence[Any]], list[Hashable]]:
    """Build what tells records apart in experiments: the id, and the start of an occurrence."""
    if not key:
        return lambda rows: [repr(row) for row in rows]
    start = finder.find_start()
    paths = [*key, *(as_list(start.settings["from"])[:1] if start else ())]
    getters = [build_getter(path) for path in dict.fromkeys(paths)]

    def read(rows: Sequence[Any]) -> list[Hashable]:
        columns = [getter(rows) for getter in getters]
        return [
            None if row[0] is None else "|".join(map(str, row))
            for row in zip(*columns, strict=True)
        ]

    return read


def _reach_end(inquiry: Inquiry, experiments: PagingExperiments, paging: Paging, page: Page) -> End:
    """Reach the end of the list, and ask what its pages leave open."""
    explorer = inquiry.explorer
    if paging.paginator is None:
        end = judge_single_page(explorer, paging, page)
        inquiry.add("pages", "one page", paging.evidence, "likely")
    else:
        experiments.find_largest_size()
        value = paging.paginator
        named = (
            value if isinstance(value, str) else ", ".join(f"{k}: {v}" for k, v in value.items())
        )
        inquiry.add("pages", named, paging.evidence)
        budget = explorer.session.budget
        budget.requests = max(budget.requests, budget.sent) + MAX_TO_REACH_END
        end = find_end(explorer, paging, MAX_TO_REACH_END)
        is_sure = end.is_reached and not end.doubt
        said = end.doubt or end.problem
        inquiry.add("end", end.evidence or "not reached", said, "sure" if is_sure else "likely")
    if end.is_cut_off:
        inquiry.question(
            "windows",
            f"Not all events can be read in one list: {end.problem.rstrip('.')}. If the API can be "
            "asked for a range of time, name its parameters: --set windows.param_from=... --set "
            "windows.param_to=... --set windows.cap=1000.",
        )
    elif end.problem or (end.doubt and paging.paginator == "single_page"):
        whole = {"that is the whole list": {"paginator": "single_page"}}
        inquiry.question(
            "paginator",
            f"How does the list go on? {(end.problem or end.doubt).rstrip('.')}. Look for pages in "
            "the API's documentation, and say what they are called, such as --set "
            "paginator.type=page_number --set paginator.page_param=page.",
            {} if end.problem else whole,
        )
    return end


def _write(inquiry: Inquiry, paging: Paging, finder: FieldFinder) -> None:
    """Make the document of what was found."""
    fields, key = _describe_fields(inquiry, finder)
    found, attempt = inquiry.found, inquiry.attempt
    parts = SourceParts(
        given=inquiry.given,
        auth=dict(attempt.config) if attempt else None,
        variables=[*found.variables],
        selector=inquiry.explorer.selector,
        paging=paging,
        primary_key=key,
        fields=fields,
    )
    document, comments = build_document(parts)
    found.comments = {**comments, **found.comments}
    settings = {
        name: value
        for name, value in inquiry.options.settings.items()
        if name.split(".")[0] != "auth"
    }
    found.document = apply_settings(document, settings)
    found.events = _preview(found.document, finder.records[:EXAMPLES])


def _describe_fields(inquiry: Inquiry, finder: FieldFinder) -> tuple[dict[str, Any], Any]:
    """Return the contract's fields and the primary key, and tell what they rest on."""
    start = finder.find_start()
    found: dict[str, FieldFinding | None] = {
        "name": finder.find_name(),
        "start_time": start,
        "end_time": finder.find_end(start),
        "updated_at": finder.find_updated(),
    }
    fields: dict[str, Any] = {"id": {"type": "text", "nullable": False}}
    for column, finding in found.items():
        if finding:
            own = {k: v for k, v in finding.settings.items() if (k, v) != ("from", column)}
            fields[column] = {"type": COLUMNS[column], **own}
            _add_field(inquiry, column, finding, finder)
        elif column in ("name", "start_time"):
            _ask_for_field(inquiry, column, finder)
    key = finder.find_id() or finder.find_composite_id(start)
    if key:
        count = len(finder.all_records)
        inquiry.add("id", f"`{'`, `'.join(as_list(key))}`", f"unique in {count:,} records")
    else:
        text = "Which field tells the events apart? None with the name of an id is unique."
        inquiry.question("primary_key", text)
    return fields, key or "id"


def _add_field(inquiry: Inquiry, column: str, finding: FieldFinding, finder: FieldFinder) -> None:
    config = FieldConfig.model_validate({"type": COLUMNS[column], **finding.settings})
    values = FieldReader(column, config).read(finder.records)
    share = sum(value is not None for value in values) / max(1, len(values))
    evidence = f"in {share:.0%} of {len(values):,} records"
    if finding.zone or COLUMNS[column] == "text":
        inquiry.add(column, finding.evidence, evidence)
    else:
        evidence += "; local times without a zone, taken as UTC"
        inquiry.add(column, finding.evidence, evidence, "assumed")
        inquiry.question(
            f"fields.{column}.timezone",
            f"In which time zone is `{column}`? It has none and is taken as UTC; else --set "
            f"fields.{column}.timezone=Europe/Berlin.",
            is_open=False,
        )
    inquiry.found.comments[("attributes", "fields", column)] = evidence


def _ask_for_field(inquiry: Inquiry, column: str, finder: FieldFinder) -> None:
    what = {"name": "the name", "start_time": "the start"}[column]
    paths = [f"`{path}`" for path in finder.leaves if path.count(".") <= 2][:12]
    inquiry.question(
        f"fields.{column}",
        f"Which field is {what} of an event? There are {', '.join(paths)}: --set "
        f"fields.{column}.from=PATH.",
    )


def _preview(document: Mapping[str, Any], records: Sequence[Any]) -> list[dict[str, Any]]:
    """Return events as they will be in the table: id, name, start and end."""
    attributes = document["attributes"]
    key = attributes["rest_api"]["resource_defaults"]["primary_key"]
    columns: dict[str, list[Any]] = {}
    for name in ("id", "name", "start_time", "end_time"):
        if name in attributes["fields"]:
            config = FieldConfig.model_validate(attributes["fields"][name])
            reader = FieldReader(name, config, key if name == "id" else ())
            columns[name] = reader.to_arrow(reader.read(records), records).to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
