"""Whatever a server is like, and whatever happens to its list: `complete` means that it came."""

from __future__ import annotations

import pytest

from event_assets_tests.support.offset_lists import EXAMPLES
from event_assets_tests.support.random_lists import make_list

SEEDS = range(EXAMPLES)


@pytest.mark.parametrize("seeds", [SEEDS[at::10] for at in range(10)], ids=range(10))
def test_no_random_list_is_complete_without_a_row_that_stayed(seeds: range) -> None:
    lost = {seed: rows for seed in seeds if (rows := make_list(seed).find_lost_rows())}
    assert not lost
