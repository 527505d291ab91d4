"""Paginate a list in time windows, for APIs that return only the first rows of a long list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from math import inf
from typing import Any, Final, TypeAlias

from requests import Request, Response

from event_assets.config.time_windows import Span, TimeWindowsConfig
from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import ListFacts, add_counts
from event_assets.pagination.list_paginator import ListPaginator, copy_parts
from event_assets.pagination.seen_ids import DistinctIds, RecentIds
from event_assets.values.wording import counted

ROUND = 50  # rows: a limit of the API is a multiple, or one of the size of pages
TOO_LONG: Final = (400, 413, 422)  # statuses of a window that is longer than the API takes
MIN_AGREED = 4  # windows whose halves bring no others, where longer ones were cut off
SHORTEST = timedelta(days=1)  # of the windows that are split because the API refuses them


class TimeWindowPaginator:
    """Reads one time window after the other, each with a paginator of its own.

    A window that reaches the cap, by its total or its rows, or that the API truncates, is split in
    two. Its rows so far are delivered, and repeated by its halves. So is one of a round length,
    which may be the API's own cap, and one that the API refuses, as many do with more than a month.
    One that is longer than those that are known to be whole is tried: its halves are read, too, and
    if they bring others, the API leaves out a part of such a window, and shorter ones are read.
    A response that holds nothing, or that the configuration ignores, ends only its window.
    """

    def __init__(
        self,
        make_paginator: Callable[[], ListPaginator],
        config: TimeWindowsConfig,
        now: datetime,
        *,
        is_alone: bool = True,
    ) -> None:
        """`is_alone`: it is not the list of one of many parents, each of which would be tried."""
        self._make_paginator = make_paginator
        self._config = config
        self._span = config.span(now)
        self._longest = _length(self._span)  # window that the API has not refused
        self._depth = (self._longest // config.step).bit_length()  # how often it can be halved
        self._pending_windows: list[Span | None] = [None if config.whole else self._span]
        self._is_window_done = True
        self._windows_read = 0
        self._seen = DistinctIds()
        self._recent = RecentIds()
        self._idle = 0  # windows that were split since the last new row
        self._fullest = 0  # rows of a window of a round length that was not split
        self._problems: list[tuple[bool | None, str]] = []
        self._ended = ListFacts()  # with the counts of ended windows
        self._whole_total: int | None = None  # of the whole list, or else of the whole span
        self._is_bound = False  # whether that total is a lower bound
        self._was_truncated = False  # whether the API says that it returned only a part
        # length of a window of which the API left out nothing
        self._believed = 2 * SHORTEST if is_alone else self._longest
        # a window whose halves are read, with its rows, and the pending windows and ids before them
        self._tried: tuple[Span, int, int, int] | None = None
        self._has_blank = False  # whether a part of it has no rows
        self._is_blank_split = False  # whether the parts of such a one were read
        self._agreed = 0  # such windows in a row whose halves brought no others
        self._cut = inf  # rows of a window of which the API left some out

    @property
    def facts(self) -> ListFacts:
        """What is known of the list so far."""
        ended = self._ended
        facts = ended if self._is_window_done else add_counts(ended, self._inner.facts)
        distinct = len(self._seen) if self.has_next_page else self._seen.count()
        return replace(facts, distinct=distinct, reported=self._whole_total)

    def init_request(self, request: Request) -> None:
        """Point the request at the first page of the first window."""
        self._first = copy_parts(request)
        self._start(request)

    def _start(self, request: Request) -> None:
        self._window = self._pop_window()
        self._is_window_done = False
        self._is_below_cap = False  # a window whose only page is shorter than the cap
        self._windows_read += 1
        request.url, request.params, request.json = deepcopy(self._first)
        request.params |= self._config.params(self._window) if self._window else {}
        self._inner = self._make_paginator()
        self._inner.cap = self._config.cap
        self._inner.init_request(request)

    def _split(self, window: Span | None) -> list[Span]:
        """Split a window in two, or the whole list (None) into one; empty if it is too short."""
        return self._config.split(window) if window else [self._span]

    def _pop_window(self) -> Span | None:
        """Return the next window, without those that are longer than the API takes."""
        window = self._pending_windows.pop()
        while window and _length(window) > self._longest:
            window, later = self._split(window)
            self._pending_windows.append(later)
        return window

    @property
    def has_next_page(self) -> bool:
        """Whether another page, or another window, is to be requested."""
        return bool(self._pending_windows) or not self._is_window_done

    def receive(self, response: Response, rows: Sequence[Any], *, said: str = "") -> list[Any]:
        """Process a response and its rows; return the rows to deliver."""
        delivered = self._inner.receive(response, rows, said=said)
        self._examine_page()
        return delivered

    def _examine_page(self) -> None:
        """Go on in the window, split it, or end it, by what its newest page shows."""
        inner, cap = self._inner, self._config.cap
        page = inner.last_page
        self._seen.add(page.ids)
        if self._recent.add(page.ids):
            self._idle = 0
        self._was_truncated |= bool(page.truncated)
        total = page.total or page.at_least or 0
        if self._windows_read == 1 and total > len(page.ids):  # not the page's own length
            self._whole_total, self._is_bound = total, page.total is None
        leads_behind_cap = inner.leads_behind_cap()
        is_short = len(page.ids) < inner.limit and not page.has_usual_size
        self._is_below_cap = leads_behind_cap and is_short and inner.facts.pages == 1
        is_too_deep = inner.facts.distinct >= cap or (leads_behind_cap and not self._is_below_cap)
        halves = self._split(self._window)
        if halves and (is_too_deep or page.truncated or total >= cap):
            self._split_window(halves)
        elif is_too_deep:
            self._note(complete=False, problem=f"the API returns only its first {cap:,} rows")
            self._end_window()
        else:
            self._end_window_with_its_pages()

    def _split_window(self, halves: list[Span]) -> None:
        """Read two windows in place of one, unless that has brought nothing new for too long."""
        self._pending_windows += reversed(halves)
        self._idle += 1
        if self._idle > 2 * (self._depth + 1):  # any time is in two windows of each length
            names = f"`{self._config.param_from}` or `{self._config.param_to}`"
            problem = f"those of other windows come, too: the API ignores {names}"
            self._note(complete=False, problem=problem)
            self._pending_windows.clear()
            self._tried = None
            del self._problems[:-1]
        self._end_window()

    def _end_window_with_its_pages(self) -> None:
        if self._inner.has_next_page and not self._is_below_cap:
            return
        verdict, halves = judge(self._inner_facts), self._split(self._window)
        if verdict.complete is not True:
            self._note(complete=verdict.complete, problem=verdict.reason)
        elif halves and self._idle <= self._depth and (self._may_be_cut or self._is_untried):
            if self._window and not self._may_be_cut:
                rows, pending = self._inner.facts.distinct, len(self._pending_windows)
                self._tried = self._window, rows, pending, self._seen.count()
            self._pending_windows += reversed(halves)
            self._idle += 1
        elif self._is_round:
            self._fullest = max(self._fullest, self._inner.facts.distinct)
        self._end_window()

    @property
    def _may_be_cut(self) -> bool:
        """Whether the window may have reached a cap, also one that rows left while it was read."""
        cap, facts = self._config.cap, self._inner.facts
        is_near = facts.pages > 1 and facts.distinct >= cap - cap // 10
        is_near = (is_near and not facts.is_total_reached) or facts.distinct >= self._cut
        return self._is_round or is_near

    @property
    def _is_untried(self) -> bool:
        """Whether the window is longer than those that are known to be whole."""
        is_next = not (self._config.whole or self._tried)
        return is_next and _length(self._window) > self._believed

    @property
    def _is_round(self) -> bool:
        """Whether the window has as many rows as an API may send at most, below the cap."""
        facts, page = self._inner.facts, self._inner.last_page
        is_full = facts.end == "single page" and page.has_usual_size
        sizes = {ROUND, page.size_asked or ROUND} - {1}
        is_multiple = any(facts.distinct % size == 0 for size in sizes)
        return is_full or (facts.distinct > 0 and is_multiple)

    @property
    def _inner_facts(self) -> ListFacts:
        facts = self._inner.facts
        # a page of as many rows as the cap would be split
        is_below_cap = self._is_below_cap or facts.end == "single page"
        return replace(facts, end="short page") if is_below_cap else facts

    def _note(self, *, complete: bool | None, problem: str) -> None:
        bounds = " to ".join(map(self._config.write, self._window or ()))
        where = f"In the window from {bounds}" if bounds else "The whole list"
        self._problems.append((complete, f"{where}: {problem.rstrip('.')}"))

    def _end_window(self) -> None:
        self._is_window_done = True
        self._ended = add_counts(self._ended, self._inner_facts)
        if self._tried and self._tried[1] and not self._inner.facts.distinct:
            self._has_blank = True
            self._split_blank()
        if self._tried and len(self._pending_windows) <= self._tried[2]:
            self._end_trial(*self._tried)
        if not self._pending_windows:
            self._ended = self._conclude()

    def _split_blank(self) -> None:
        """Read the parts of a half without rows, once: an API that returns a day has few at all."""
        if not self._is_blank_split:
            self._is_blank_split = True
            parts = [part for half in self._split(self._window) for part in self._split(half)]
            self._pending_windows += reversed(parts)

    def _end_trial(self, window: Span, rows: int, _: int, ids: int) -> None:
        """Believe windows as long as those whose halves bring no others; else read shorter ones.

        Where the API was seen to leave rows out, one may have none in what is left out.
        """
        self._tried, is_sure = None, self._cut == inf
        has_rows = rows > 0 and (is_sure or not self._has_blank)  # none show nothing
        self._has_blank = False
        if ids == self._seen.count():
            self._agreed += has_rows
            if self._agreed >= (1 if is_sure else MIN_AGREED):
                self._believed = _length(window)
            if is_sure or self._pending_windows or _length(window) <= self._believed:
                return
        self._agreed = 0
        self._longest = max(map(_length, self._split(window)))
        if self._longest <= self._believed:  # shorter ones are not tried
            self._note(complete=None, problem="the API leaves out a part of so short a window")
        self._cut = min(self._cut, max(rows, ROUND))
        self._pending_windows = [self._span]

    def _conclude(self) -> ListFacts:
        """Return the facts of the whole list, after its last window."""
        total, rows = self._whole_total or 0, self._seen.close()
        complete, problem = min(self._problems, key=lambda one: one[0] is None, default=(True, ""))
        # one equal to the cap may be the highest number to which the API counts; another limit
        # would not be the number of rows in the windows
        is_true = total > self._config.cap or rows == total < self._config.cap
        has_true_total = is_true and not self._is_bound
        is_total_needed = self._config.whole and not self._was_truncated
        ends = {
            "window incomplete": complete is False,
            "window unverified": complete is None and not (has_true_total and rows >= total),
            "round window": complete and self._fullest,
            "outside windows": rows < total,
            "windows without total": is_total_needed and not has_true_total,
            "empty windows": not rows,
            "windows": True,
        }
        end = next(name for name, holds in ends.items() if holds)
        if self._window is None and end != "round window":
            return self._inner_facts  # the windows were not needed: it is a list as any other
        windows = counted(self._windows_read, "window")
        names = {"param_from": self._config.param_from, "param_to": self._config.param_to}
        values = {"windows": windows, "problem": problem, "fullest": self._fullest, **names}
        return replace(self._ended, end=end, values=values)

    def update_request(self, request: Request) -> None:
        """Point the request at the next page, or at the first page of the next window."""
        if not self._is_window_done:
            self._inner.update_request(request)
        elif self._pending_windows:
            self._start(request)

    def stopped_early(self) -> None:
        """End the window at a response that the configuration ignores."""
        self._inner.stopped_early()
        self._end_window_with_its_pages()

    def refused(self, status: int, *, limit: str = "", said: str = "") -> bool:
        """Take an error status for the end of the window, if it can be; split one that is too long.

        The first page of a window may hold nothing, not even an empty list: that is a doubt.
        """
        if self._inner.refused(status, limit=limit, said=said):
            self._end_window_with_its_pages()
            return True
        if self._inner.facts.pages:
            return False
        if self._window and status == HTTPStatus.NO_CONTENT:
            self._note(complete=None, problem="the API sent nothing, not even an empty list")
            self._end_window()
            return True
        return status in TOO_LONG and self._shorten_windows()

    def _shorten_windows(self) -> bool:
        """Read two windows in place of one that is refused; return False if it is the shortest."""
        halves = self._split(self._window)
        if not halves or halves[0][1] - halves[0][0] < SHORTEST:
            return False
        self._longest = max(end - start for start, end in halves)
        self._pending_windows += reversed(halves)
        self._end_window()
        return True

    def upcoming(self, count: int) -> Sequence[Mapping[str, Any]]:
        """Return query parameters of up to `count` requests after the next one."""
        return self._inner.upcoming(count)


def _length(window: Span | None) -> timedelta:
    return window[1] - window[0] if window else timedelta(0)


Paginator: TypeAlias = ListPaginator | TimeWindowPaginator
