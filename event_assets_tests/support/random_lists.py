"""Random lists that change while they are read, of servers of all kinds."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from event_assets.pagination.result import PaginationResult
from event_assets_tests.support.list_models import FLAGS, PAGINATORS, TOTALS, ChangingList
from event_assets_tests.support.list_readers import read, read_in_windows
from event_assets_tests.support.offset_lists import Edit

LASTS: list[Mapping[str, Any] | None] = [{"next": None}, {}, {"next": False}, {"next": ""}, None]
SPANS = [{}, {"since": "2026-01-01", "until": "2026-06-01"}]
# Totals that are reached are believed, and so is 0 beside an empty page.
TRUE_TOTALS = sorted(set(TOTALS) - {"capped", "always zero", "of other things"})


ODDITIES = ["sizes", "ties", "lag", "soft deletions", "accident of pages"]


@dataclass
class RandomList:
    """A list, how it is read, and what happens meanwhile."""

    kind: str
    listed: ChangingList
    script: list[list[Edit]]
    accidents: dict[int, int] = field(default_factory=dict[int, int])
    windows: dict[str, Any] = field(default_factory=dict[str, Any])

    def read(self) -> tuple[set[int], PaginationResult]:
        if self.windows:
            return read_in_windows(self.kind, self.listed, self.script, **self.windows)
        return read(self.kind, self.listed, self.script, self.accidents)[:2]

    def find_lost_rows(self) -> set[int]:
        """Read the list; return the rows that stayed and are missing, although it is complete."""
        delivered, result = self.read()
        # behind a cursor that is a key, a row that moves ahead of it cannot be seen
        moved = self.listed.moved if self.kind.startswith("key") else set[int]()
        return self.listed.staying - moved - delivered if result.complete else set()


def make_list(seed: int) -> RandomList:
    """Make the random list of a seed."""
    any_of = random.Random(seed)
    kind = any_of.choice(sorted(PAGINATORS))
    length = any_of.choice([any_of.randint(0, 12), any_of.randint(0, 40), any_of.randint(30, 150)])
    server: dict[str, Any] = {
        "size": any_of.choice([2, 3, 4, 4, 5, 10, 20]),
        "asked": any_of.choice([None, None, 4, 10, 50]),
        "total": any_of.choice(["none", any_of.choice(TRUE_TOTALS)]),
        "flag": any_of.choice(["none", "none", any_of.choice(sorted(FLAGS))]),
        "behind": any_of.choice(["empty", "empty", "refused", "wraps", "clamps"]),
        "last": any_of.choice(LASTS),
    }
    made = RandomList(kind, ChangingList(list(range(length)), **server), make_script(any_of))
    oddity = any_of.choice(["", *2 * ["filtered"], "accident", "windows", *ODDITIES])
    listed = made.listed
    if oddity == "filtered" and listed.size > 3:
        hidden = any_of.sample(range(length), any_of.randint(0, length * 2 // 3))
        flag = listed.flag if listed.flag in ("has_more", "last") else "none"  # others were false
        made.listed = replace(listed, flag=flag, hidden=frozenset(hidden))
    elif oddity == "accident of pages":
        made.accidents = {any_of.randint(1, 15): any_of.choice([204, 400, 404, 410, 422])}
    elif oddity == "accident" and not kind.startswith(("page", "key")):
        made.accidents = {any_of.randint(0, 15): any_of.choice([0, 204, 400, 404, 410, 422])}
    elif oddity == "sizes" and length > 40:  # a few pages may have the same sizes twice
        listed.sizes = [any_of.randint(2, listed.size + 2) for _ in range(any_of.randint(1, 50))]
    elif oddity == "ties" and not kind.startswith("key") and listed.behind != "clamps":
        listed.ties = any_of.randint(2, 8)
    elif oddity == "lag" and listed.total != "of the first response":
        listed.lag = any_of.randint(1, 5)
    elif oddity == "soft deletions" and listed.flag in ("none", "has_more", "last"):
        made.script = [
            [
                ("hide", at, size) if change == "delete" else (change, at, size)
                for change, at, size in step
            ]
            for step in made.script
        ]
    elif oddity == "windows" and listed.total != "too high":
        made.windows = {"cap": any_of.randint(60, 100), **any_of.choice(SPANS)}
        made.script = [step[:1] for step in made.script[:1]]  # a tenth of the cap at most
    return made


def make_script(any_of: random.Random) -> list[list[Edit]]:
    """Make the changes after each request."""
    often = any_of.choice([0, 0.1, 0.35, 0.5])
    # a deletion may hide that a row has moved
    kinds = [
        "insert",
        "head",
        *any_of.choice([["delete", "delete"], ["delete", "delete"], ["move"]]),
    ]
    script: list[list[Edit]] = []
    for _ in range(any_of.randint(0, 25)):
        script.append([])
        while any_of.random() < often:
            change, at, size = any_of.choice(kinds), any_of.randint(0, 30), any_of.randint(1, 6)
            edit = ("insert", 0, size) if change == "head" else (change, at, size)
            script[-1].append(edit)
    return script


def main(seed: int, seconds: float) -> None:
    """Read random lists from a seed on, and print those that are complete without all rows."""
    end, first = time.monotonic() + seconds, seed
    while time.monotonic() < end:
        made = make_list(seed)
        length = len(made.listed.rows)
        try:
            lost = made.find_lost_rows()
        except Exception as error:
            print(seed, made.kind, repr(error)[:200], flush=True)
        else:
            if lost:
                print("LOST", seed, made.kind, length, len(lost), describe(made), flush=True)
        seed += 1
    print(f"{seed - first} lists", flush=True)


def describe(made: RandomList) -> str:
    listed = made.listed
    return (
        f"size {listed.size} asked {listed.asked} total {listed.total} flag {listed.flag} behind "
        f"{listed.behind} last {listed.last} hidden {len(listed.hidden)} "
        f"sizes {listed.sizes} ties {listed.ties} lag {listed.lag} "
        f"edits {sum(map(len, made.script))} accidents {made.accidents} windows {made.windows}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
