"""The number of requests that are sent ahead."""

from event_assets.http.window import CAUTIOUS, ReadAheadWindow


def read(window: ReadAheadWindow, pages: int, seconds: float, *, was_awaited: bool = True) -> int:
    """Read pages that follow each other, and return the window's size."""
    for _ in range(pages):
        window.add(seconds, was_awaited=was_awaited)
    return window.size


def test_a_window_begins_with_a_few_requests_and_quadruples_with_every_window() -> None:
    window = ReadAheadWindow(32)
    sizes = [read(window, pages, seconds=0.2) for pages in (0, 7, 1, 100)]
    assert sizes == [CAUTIOUS, CAUTIOUS, 32, 32]


def test_no_more_than_a_few_are_sent_before_it_is_known_that_the_api_refuses_none() -> None:
    window = ReadAheadWindow(32)
    ahead = [window.ahead]
    for _ in range(9):
        read(window, 1, seconds=0.2)
        ahead.append(window.ahead)
    assert ahead == [8, 7, 6, 5, 4, 3, 2, 1, 32, 32]


def test_it_grows_to_its_limit_while_responses_do_not_get_slower() -> None:
    assert read(ReadAheadWindow(32), pages=40, seconds=0.2) == 32


def test_it_does_not_grow_while_pages_are_there_before_they_are_needed() -> None:
    window = ReadAheadWindow(32)
    assert read(window, pages=40, seconds=0.2, was_awaited=False) == CAUTIOUS
    assert read(window, pages=40, seconds=0.2) == 32
    assert read(window, pages=200, seconds=0.4, was_awaited=False) == CAUTIOUS


def test_it_shrinks_when_they_do() -> None:
    window = ReadAheadWindow(32)
    assert read(window, pages=40, seconds=0.2) == 32
    assert read(window, pages=200, seconds=0.4) == CAUTIOUS


def test_it_is_not_judged_by_requests_from_before_it_shrank() -> None:
    window = ReadAheadWindow(32)
    read(window, pages=8, seconds=0.2)
    sizes = [read(window, pages, seconds) for pages, seconds in ((32, 0.4), (32, 0.4), (16, 0.2))]
    assert sizes == [16, 16, 32]


def test_one_slow_response_changes_nothing() -> None:
    window = ReadAheadWindow(32)
    read(window, pages=40, seconds=0.2)
    window.add(20.0, was_awaited=True)
    assert read(window, pages=40, seconds=0.2) == 32


def test_it_never_exceeds_a_small_limit() -> None:
    assert read(ReadAheadWindow(3), pages=40, seconds=0.2) == 3


def test_it_starts_again_with_one_request_after_another_page_than_was_expected() -> None:
    window = ReadAheadWindow(32)
    read(window, pages=40, seconds=0.2)
    window.restart()
    sizes = [window.size, *(read(window, 1, seconds=0.2) for _ in range(9))]
    assert sizes == [1, 1, *8 * [4]]


def test_it_does_not_grow_when_the_api_answers_as_quickly_as_a_sync_reads() -> None:
    window = ReadAheadWindow(32)
    assert read(window, pages=40, seconds=0.01) == CAUTIOUS
    window.restart()
    assert read(window, pages=40, seconds=0.001) >= CAUTIOUS
