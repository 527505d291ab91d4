"""Ask an API what `connect` asks, with a given configuration: the facts that the checks judge."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from dlt.sources.helpers.rest_client.client import RESTClient

from event_assets.config.source import SourceConfig
from event_assets.extract.records_selector import PLAIN_SELECTOR
from event_assets.probe.client import Client
from event_assets.probe.end_finder import End, judge_single_page, reach_end
from event_assets.probe.field_finder import find_id
from event_assets.probe.page import NOT_SENT, Page
from event_assets.probe.paginator_finder import find_paginator
from event_assets.probe.paging import PAGES_TO_BELIEVE, Paging, read_pages
from event_assets.probe.parameter_search import ParameterSearch
from event_assets.probe.records_finder import find_records
from event_assets.probe.samples import Sample, find_zone
from event_assets.records.contract import FieldReader, build_contract


def configured_paging(source: SourceConfig) -> Paging:
    """Return the paginator of a source as it is configured."""
    config = source.events.paginator or "auto"
    return Paging({"type": "auto", **config} if isinstance(config, Mapping) else config)


class ProbedSource:
    """What the answers of an API show of a configuration."""

    def __init__(self, source: SourceConfig, client: Client, page: Page) -> None:
        """Read the first pages, and compare page 1 with what it should be, or should not be."""
        self.source, self.client = source, client
        self.contract = build_contract(source.events)
        client.read_ids = self._read_ids
        self.first, self.records_problem = self._read_records(page)
        self.sample = Sample(self.first.rows, find_zone(page.document, client.selector))
        self.configured = configured_paging(source)
        self.is_offset = self.configured.kind == "offset"  # which asks for the last record again
        config = self.configured.paginator
        self.walk = read_pages(client, config, {}, PAGES_TO_BELIEVE)
        self.fresh = self.walk.ids - {*self.first.ids}  # behind page 1, as far as it was read
        self.total = read_pages(client, config, {}, 1).facts.reported  # as a sync reads it
        self.keyless = client.ask(with_key=False) if client.session.has_auth else NOT_SENT
        search = ParameterSearch(client, self.first)
        self.control = search.check_control()  # page 1 again
        # loses a total that the records disprove
        self.paging = replace(search.paging, paginator=copy.deepcopy(config))
        is_late = self.configured.is_numbered and (config.get("base_page") or config.get("offset"))
        may_begin_before = is_late and self.total != len(self.walk.ids)
        self.before = client.ask_page(config, {}, -1, 1) if may_begin_before else NOT_SENT
        self.end = self._find_end() if self.first.rows else End()
        is_sure = self.end.is_reached and not self.end.problem and not self.end.doubt
        is_whole = is_sure or self.total == len(self.first.rows)
        is_only_page = self.first.rows and not (self.walk.error or self.fresh or is_whole)
        # a paginator that brings further pages
        self.found = self._find_other(search) if is_only_page else Paging()

    def _read_ids(self, records: Sequence[Any]) -> list[Hashable]:
        """Return the ids of records: where they are configured, or else where they are."""
        reader = self.contract["id"]
        is_there = any(value is not None for value in reader.read(records))
        if not is_there and (path := find_id(Sample(records))):
            reader = FieldReader("id", reader.field.model_copy(update={"source": path}))
        return list(reader.read(records))

    def _read_records(self, page: Page) -> tuple[Page, str]:
        """Read the records of page 1: by the configured selector, or else where some are found.

        With them comes why a sync finds none, if it does not.
        """
        client, configured = self.client, self.source.events.endpoint.get("data_selector")
        detector = RESTClient("")
        client.selector = configured or detector.detect_data_selector(cast("Any", page.response))
        read = client.read(page)
        is_list = configured and PLAIN_SELECTOR.fullmatch(configured)  # which may be empty
        has_records = is_list or any(isinstance(row, dict) or configured for row in read.rows)
        problem = "" if has_records else f"has no records under `{client.selector}`"
        if problem := read.problem or problem:
            client.selector = find_records(page.document) or client.selector
            read = client.read(page)
        return read, problem

    def _find_other(self, search: ParameterSearch) -> Paging:
        """Return a paginator that brings further records; an empty one, if none does."""
        find_paginator(search)
        found = search.paging
        if found.paginator is None:
            return found
        walk = read_pages(self.client, found.paginator, found.settings, 2)  # of one page, perhaps
        return found if walk.ids - {*self.first.ids} else Paging()

    def _find_end(self) -> End:
        """Return the end of the list, as far as a few requests show it."""
        client, walk, windows = self.client, self.walk, self.source.windows
        if self.configured.kind == "single_page" and self.total != len(self.first.rows):
            return judge_single_page(client, self.paging, self.first)
        if windows and not (walk.is_done or walk.error) and (self.total or 0) >= windows.cap:
            return End(evidence="not verified: windows cannot request the last page")
        return reach_end(client, self.paging, PAGES_TO_BELIEVE)
