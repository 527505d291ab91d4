"""Read a list by cursors or links without missing a row. Pure: no HTTP, no dlt."""

from __future__ import annotations

from event_assets.pagination.facts import PageFacts
from event_assets.pagination.page_walk import Ends, PageWalk
from event_assets.pagination.walk import MAX_EMPTY, REFUSED, Ask, Steps


class PointerWalk(PageWalk):
    """Decides whether a cursor or link is followed; without one, no other page can be requested."""

    _is_numbered = is_counted = False

    def _read_next(self) -> Steps[str]:
        reading, facts = self._reading, self.facts
        page = yield Ask(len(reading.pages))
        is_told = page is REFUSED or self._ids in (page.total, reading.total.reported)
        is_told |= bool(facts.said)  # a response without a list was requested again already
        leads_on = page.ids or page.pointer is not None or page.has_more is not None
        is_read_once = facts.settings.is_alone and not self.is_counted and facts.passes == 1
        if reading.last_page and is_read_once and not (leads_on or is_told):
            page = yield Ask(len(reading.pages), is_behind=True)  # empty by accident, perhaps
        return self._receive(page)

    def _find_ends(self, page: PageFacts, *, is_repeated: bool) -> Ends:
        reading, has_pointer = self._reading, page.pointer is not None
        is_known = str(page.pointer) in self._pointers and (reading.known_rows or not page.ids)
        is_start = reading.pages[-1] == reading.pages[0]
        # a total that may count pages may be the number of rows in mid-list by chance
        is_all = self._is_total_reached and reading.empty > (0 if page.is_total_of_rows else 3)
        is_empty_end = is_all or (reading.empty > 0 and is_known)
        # a number of a page leads behind the end as well
        is_open = self._promises_more or page.has_more or not (self.is_counted and reading.rows)
        is_ignored = is_repeated and not self._has_moved_on and len(reading.pages) > 2
        return (
            (self.facts.settings.end_without_pointer, not has_pointer and not self.facts.pointers),
            ("pointer ended", not has_pointer or page.has_more is False or is_empty_end),
            ("lap", is_known and self._has_moved_on and (is_start or is_repeated)),
            ("same pointer", is_known),
            ("ignored parameter", is_ignored),
            ("empty pages" if is_open else "page behind", reading.empty >= MAX_EMPTY),
        )

    def refuse(self, status: int, *, is_limit: bool = False) -> bool:
        """Process a refused request; return False if it cannot be behind the end of the list."""
        reading, is_in_list = self._reading, not self._asked.is_behind
        is_all = self._is_total_reached and self.facts.last.is_total_of_rows
        has_end = is_all or reading.is_end_said
        may_end = has_end or reading.total.reported == self._ids or self._asked.is_behind
        is_limit &= is_in_list
        if not reading.pages or not (is_limit or may_end):
            return False
        if is_limit or (is_in_list and (self._may_be_limit(status) or not has_end)):
            self.finish("depth")
        else:
            self._go_on(REFUSED)
        return True
