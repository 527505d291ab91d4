"""Ids of rows that were received, and their order."""

from __future__ import annotations

import pyarrow as pa

from event_assets.pagination.seen_ids import DistinctIds, RecentIds


def test_the_last_ids_are_known_and_older_ones_are_dropped() -> None:
    recent = RecentIds(3)
    for page in ([1, 2, 3], [4, 5], [6]):
        recent.add(page)
    assert recent.find_unknown(range(1, 8)) == {7}
    assert recent.overlaps([1])
    recent.add([7])
    assert recent.find_unknown(range(1, 8)) == {1, 2, 3}
    assert not recent.overlaps([3])


def test_twenty_thousand_ids_are_known_at_least() -> None:
    recent = RecentIds()
    for page in (range(19_999), [19_999], [20_000], range(20_001, 40_000)):
        recent.add(list(page))
    assert not recent.find_unknown(range(40_000))
    recent.add([40_000])
    assert recent.find_unknown(range(40_000)) == set(range(20_000))


def test_rows_that_come_again_in_their_order_are_ordered() -> None:
    recent = RecentIds()
    assert recent.add([1, 2, 3]) == [1, 2, 3]
    assert recent.add([3, 4, 4]) == [4]
    assert recent.add([1, 9, 2]) == [9]  # was inserted
    assert recent.add([1, 9]) == recent.add([9, 2]) == recent.add([2, 4]) == []
    assert recent.is_ordered
    assert recent.add([4, 5, 6]) == [5, 6]
    recent.add([5, 6])
    assert recent.is_ordered
    recent.add([6, 5])
    assert not recent.is_ordered


def test_a_row_before_an_older_one_is_in_another_order() -> None:
    recent = RecentIds()
    recent.add([1, 2, 3])
    recent.add([3, 4])
    recent.add([4, 3])
    assert not recent.is_ordered


def test_new_rows_before_or_behind_known_ones_show_that_the_list_changed() -> None:
    recent = RecentIds()
    for page in ([1, 2, 3], [3, 4]):
        recent.add(page)
    assert recent.is_continuous
    assert not recent.has_inserted
    recent.add([8, 4])
    assert not recent.is_continuous
    recent.add([2, 9, 3])
    assert recent.has_inserted
    assert recent.is_ordered


def test_ids_are_counted_once() -> None:
    ids = DistinctIds()
    assert (len(ids), ids.count()) == (0, 0)
    ids.add([1, 2, 2])
    assert (len(ids), ids.count()) == (3, 2)
    ids.add([3])
    assert (len(ids), ids.count()) == (4, 3)
    assert ids.add_unseen([3, 4, 1, 4, 0, 99]) == [1, 4, 5]
    assert (len(ids), ids.count()) == (6, 6)


def test_counting_takes_less_memory_than_a_table_of_hashes() -> None:
    ids, usual = DistinctIds(), pa.default_memory_pool()
    ids.add(range(100_000))
    pa.set_memory_pool(pool := pa.proxy_memory_pool(usual))
    try:
        assert ids.count() == 100_000
    finally:
        pa.set_memory_pool(usual)
    assert 0 < pool.max_memory() < 32 * 100_000


def test_the_number_of_ids_is_known_after_their_memory_is_freed() -> None:
    once, again = DistinctIds(), DistinctIds()
    for ids in (once, again):
        ids.add([1, 2, 2])
    again.add_unseen([3])
    assert (once.close(), once.count(), len(once)) == (2, 2, 0)
    assert (again.close(), again.count(), len(again)) == (3, 3, 0)
