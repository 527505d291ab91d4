"""The requests of a probe, and what came: pages 1 and 2, page 1 again, without the key, the last.

Nothing is judged here.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from event_assets.config.source import SourceConfig
from event_assets.extract.first_request import FirstRequest, open_first_request
from event_assets.extract.stream import configured_paginator
from event_assets.http.credentials import configured_secrets, secrets_of_auth
from event_assets.pagination import OffsetPaginator
from event_assets.pagination.seen_ids import row_ids
from event_assets.probe import last_page
from event_assets.probe.formatting import SafeFormatter, secrets_by_name
from event_assets.probe.records_path import Selected, rows_at, select
from event_assets.probe.reported_total import ReportedTotal, claimed
from event_assets.probe.session import ProbeResponse, ProbeSession, redirected
from event_assets.probe.suggestions import id_for, other_totals
from event_assets.records.contract import FieldReader, build_contract
from event_assets.values.errors import PaginationError

NOT_ASKED = ProbeResponse("not asked")


@dataclass
class ProbeAnswers:
    """What was asked, and what came.

    Attributes:
        source: that was probed.
        words: show what came without the key.
        opening: what a sync asks first.
        first, second, again, anonymous, last: the answers; page 1 three times, once without a key.
        has_auth: is a key sent?
        moved: the address that the API sends its readers to, if it does.
        selected: where the records are.
        trouble: what the paginator cannot read in page 1's answer; empty when nothing is.
        ended: does the paginator take page 1 for the last?
        target: which page the last one is.
        requests: that were sent.
    """

    source: SourceConfig
    words: SafeFormatter
    opening: FirstRequest
    has_auth: bool
    first: ProbeResponse = NOT_ASKED
    second: ProbeResponse = NOT_ASKED
    again: ProbeResponse = NOT_ASKED
    anonymous: ProbeResponse = NOT_ASKED
    last: ProbeResponse = NOT_ASKED
    moved: str | None = None
    selected: Selected = field(default_factory=lambda: Selected(None, "$"))
    trouble: str = ""
    ended: bool = False
    target: last_page.LastPage | None = None
    requests: int = 0

    @property
    def paginator(self) -> BasePaginator:
        """What decides which page is asked for next."""
        return self.opening.paginator

    @property
    def offsets(self) -> OffsetPaginator | None:
        """The paginator, if it pages by offsets."""
        return self.paginator if isinstance(self.paginator, OffsetPaginator) else None

    @cached_property
    def contract(self) -> dict[str, FieldReader]:
        """What reads the fields."""
        return build_contract(self.source.events)

    @cached_property
    def rows(self) -> list[Any]:
        """The records of page 1."""
        return self.rows_of(self.first)

    @cached_property
    def rows_after(self) -> list[Any]:
        """The records of page 2."""
        return self.rows_of(self.second)

    @cached_property
    def fresh(self) -> int:
        """How many records of page 2 were not on page 1."""
        return len(set(self.ids_of(self.rows_after)) - set(self.ids_of(self.rows)))

    def rows_of(self, reply: ProbeResponse) -> list[Any]:
        """Give the records in an answer."""
        return rows_at(reply.document, self.selected.used) if reply.good else []

    @cached_property
    def _id_reader(self) -> FieldReader:
        own = self.contract["id"]
        if any(value is not None for value in own.values(self.rows)):
            return own
        other = id_for(self.rows)
        return (
            own
            if other is None
            else FieldReader("id", own.field.model_copy(update={"source": other}))
        )

    def ids_of(self, rows: Sequence[Any]) -> list[Hashable]:
        """Give what tells the records apart; the whole record where nothing else does."""
        ids = iter(self._id_reader.values(rows))
        return row_ids(rows, lambda _: next(ids))

    def claim_in(self, reply: ProbeResponse) -> ReportedTotal | None:
        """Give the total that an answer reports, and where."""
        if not reply.good or reply.answer is None:
            return None
        return claimed(reply.document, reply.answer, self.total_path)

    @cached_property
    def claim(self) -> ReportedTotal | None:
        """The total of page 1; one from elsewhere, where the configured place has none."""
        claim = self.claim_in(self.first)
        if not self.fresh or (claim and claim.count > len(self.rows)):
            return claim
        return self._claim_elsewhere or claim

    @cached_property
    def _claim_elsewhere(self) -> ReportedTotal | None:
        """A number that is the same on both pages, and no page's length or limit."""
        if self.offsets is None or self.total_path is None:
            return None
        after = dict(other_totals(self.second.document))
        return next(
            (
                ReportedTotal(count, ".".join(place))
                for place, count in other_totals(self.first.document)
                if count > len(self.rows) and count != self.offsets.limit
                if after.get(place) == count
            ),
            None,
        )

    @property
    def total_path(self) -> Any:
        """Where offset paging finds the total: a path, None, or "auto"."""
        options = self.resource_paginator if self.offsets else {}
        return options.get("total_path", "auto")

    @property
    def resource_paginator(self) -> Mapping[str, Any]:
        """The paginator's configuration."""
        given = configured_paginator(self.source.events)
        return {
            "type": "auto",
            **(given if isinstance(given, Mapping) else {"type": given or "auto"}),
        }


def collect_answers(source: SourceConfig, seconds: float) -> ProbeAnswers:
    """Ask the API what is to be known of it, at most five times, and for so long.

    Raises:
        ConfigError: when the key is missing.
    """
    with open_first_request(source) as first:
        request = first.request
        auth, request.auth, request.hooks = first.auth or request.auth, None, {}
        seen = ProbeAnswers(source, SafeFormatter(), first, has_auth=auth is not None)
        with ProbeSession(first.base_url, auth, seconds, configured_secrets(source)) as asker:
            first.paginator.init_request(request)
            sent = (request.headers, request.params, request.json)
            named = [secret for settings in sent for secret in secrets_by_name(settings)]
            _ask(asker, seen, request)
        seen.words = SafeFormatter([*configured_secrets(source), *secrets_of_auth(auth), *named])
        seen.requests = asker.traffic.requests
        return seen


def _ask(asker: ProbeSession, seen: ProbeAnswers, request: requests.Request) -> None:
    seen.first = asker.ask(request)
    if request.method == "GET" and (target := redirected(seen.first)):
        seen.moved = target
        query = urlsplit(request.url).query
        request.url = f"{target}?{query}" if query else target
        seen.first = asker.ask(request)
    if not seen.first.good:
        return
    first = copy.deepcopy(request)
    selector = seen.opening.endpoint.get("data_selector")
    seen.selected = select(seen.first.document, selector, seen.contract)
    if _next(seen, request):
        seen.second = asker.ask(request)
    if seen.has_auth:
        seen.anonymous = asker.ask(first, keyed=False)
    seen.again = asker.ask(first)
    if not seen.second.good or seen.fresh:
        windows = seen.source.windows
        seen.target = last_page.target(
            seen.paginator, seen.claim, len(seen.rows), windows.cap if windows else None
        )
    if seen.target:
        last_page.point_request_at(first, seen.target)
        seen.last = asker.ask(first)


def _next(seen: ProbeAnswers, request: requests.Request) -> bool:
    """Let the paginator make the request for page 2; is there one?"""
    paginator, answer = seen.paginator, seen.first.answer
    try:
        paginator.update_state(answer, list(seen.rows))  # type: ignore[arg-type]
        if paginator.has_next_page:
            paginator.update_request(request)
    except PaginationError as error:
        seen.trouble = str(error)
        return False
    except Exception as error:  # of whatever kind, by dlt; its text may hold the whole answer
        seen.trouble = (
            f"The paginator cannot read page 1's answer ({type(error).__name__}); check its paths "
            "in defs.yaml."
        )
        return False
    seen.ended = not paginator.has_next_page
    return not seen.ended
