"""One change while a list is read: each row that stays comes, and the list does not fail."""

from __future__ import annotations

from itertools import product

import pytest

from event_assets_tests.support.list_models import PAGINATORS, ChangingList
from event_assets_tests.support.list_readers import read

LENGTHS, REQUESTS, PLACES, SIZES = (8, 19), (2, 3), (0, 28), (1, 3)
# A change between its first two requests hides that the API sends whole pages only: it fails.
KINDS = [kind for kind in PAGINATORS if kind != "offset of whole pages"]


@pytest.mark.parametrize("total", ["none", "true"])
@pytest.mark.parametrize("flag", ["none", "has_more"])
@pytest.mark.parametrize("change", ["insert", "delete"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_list_that_changes_once_does_not_fail(
    kind: str, change: str, flag: str, total: str
) -> None:
    for length, request, place, size in product(LENGTHS, REQUESTS, PLACES, SIZES):
        listed = ChangingList(list(range(length)), total=total, flag=flag)
        script = [[(change, place, size)] if at == request else [] for at in range(1, 5)]
        delivered, result, _ = read(kind, listed, script)
        assert listed.staying <= delivered, (length, script, result.reason)
        assert result.complete is not False, (length, script, result.reason)
