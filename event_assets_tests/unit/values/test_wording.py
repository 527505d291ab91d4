"""Numbers in sentences."""

import pytest

from event_assets.values.wording import counted, format_age


def test_a_noun_and_its_verb_are_those_of_the_number() -> None:
    assert [counted(count, "run") for count in (0, 1, 2000)] == ["0 runs", "1 run", "2,000 runs"]
    assert counted(1, "record", "break") == "1 record breaks"
    assert counted(2, "record", "break") == "2 records break"


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "less than a minute"),
        (0.9, "less than a minute"),
        (1, "1 minute"),
        (1.6, "2 minutes"),
        (119, "119 minutes"),
        (120, "2 hours"),
        (2879, "48 hours"),
        (2880, "2 days"),
        (14400, "10 days"),
    ],
)
def test_an_age_is_in_the_unit_that_suits_it(minutes: float, said: str) -> None:
    assert format_age(minutes) == said
