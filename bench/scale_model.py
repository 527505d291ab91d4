"""`python -m bench.scale_model`: how late 10,000 accounts are, by workers. A model, on paper.

Its constants were measured; docs/scale.md says how, and how well the model meets what was measured.
"""

import argparse
import random
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from statistics import quantiles

ROWS_OF_A_PAGE = 99  # 100, less the seam


@dataclass(frozen=True)
class Costs:
    """What a sync takes, in seconds: of the daemon, of a worker, and of the catalog.

    A daemon starts one run at a time, and the catalog takes one commit at a time.
    """

    launch: float = 0.55  # of the daemon
    run: float = 2.2  # of a worker's core, whatever the account
    each_event: float = 0.00003  # of a worker's core
    commits: int = 6
    each_commit: float = 0.008


@dataclass(frozen=True)
class Plan:
    """What is synced, how often, and by how many.

    Attributes:
        accounts: how many there are.
        events: of each that an ordinary sync reads.
        workers: processes that sync one account at a time, with a core each.
        daemons: Dagster instances that share the accounts.
        every: seconds from one tick of the schedule to the next.
        hours: for how long.
        latency: of a request, seconds.
        in_flight: requests of one sync at a time.
        rate: requests a second that the platform allows to all accounts together.
        failing: share of the syncs that fail, half way, and are asked for again at the next tick.
        seed: of the failures.
    """

    accounts: int = 10_000
    events: int = 2_000
    workers: int = 8
    daemons: int = 1
    every: float = 7_200
    hours: float = 24
    latency: float = 0.2
    in_flight: int = 8
    rate: float = 1_000
    failing: float = 0.01
    seed: int = 1
    costs: Costs = field(default_factory=Costs)


@dataclass
class Seen:
    """What happened.

    Attributes:
        delays: seconds from the tick that asked to the end, of each good sync.
        failed: syncs that did.
        skipped: ticks of an account whose sync before waited or was under way.
        busy: seconds for which each of what can be the bottleneck was.
        until: seconds to the end of the last sync.
    """

    delays: list[float] = field(default_factory=list)
    failed: int = 0
    skipped: int = 0
    busy: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    until: float = 0


def rounds(requests: int, most: int) -> int:
    """Say how often a sync waits for answers: it reads 1, 1, 2, 4, ... pages at once."""
    waits, window = 0, 1
    while requests > 0:
        requests -= window
        waits += 1
        window = min(window * 2, most) if waits > 1 else 1
    return waits


def simulate(plan: Plan) -> Seen:
    """Let the time pass."""
    chance, seen, costs, number = random.Random(plan.seed), Seen(), plan.costs, count()
    heap: list[tuple[float, int, str, int]] = []
    waiting: deque[int] = deque()
    asked: dict[int, float] = {}  # when, of the accounts that wait or are under way
    began: dict[int, float] = {}
    idle = plan.workers
    free = {"daemons": 0.0, "API": 0.0, "catalog": 0.0}
    requests = -(-plan.events // ROWS_OF_A_PAGE)
    reading = plan.latency * rounds(requests, plan.in_flight) + plan.events * costs.each_event

    def push(at: float, what: str, account: int) -> None:
        heappush(heap, (at, next(number), what, account))

    def through(what: str, seconds: float) -> float:
        """Wait for the turn of something that does one thing at a time; say when it is done."""
        seen.busy[what] += seconds
        free[what] = max(free[what], now) + seconds
        return free[what]

    for tick in range(int(plan.hours * 3600 // plan.every)):
        push(tick * plan.every, "tick", -1)
    while heap:
        now, _, what, account = heappop(heap)
        if what == "tick":
            fresh = [one for one in range(plan.accounts) if one not in asked]
            seen.skipped += plan.accounts - len(fresh)
            asked.update(dict.fromkeys(fresh, now))
            waiting.extend(fresh)
        elif what == "launched":
            push(now + costs.run, "begun", account)
        elif what == "begun":
            share = 0.5 if chance.random() < plan.failing else 1.0
            answered = through("API", share * requests / plan.rate)
            end = max(answered, now + share * reading)
            push(end, "failed" if share < 1 else "read", account)
        elif what == "read":
            push(through("catalog", costs.commits * costs.each_commit), "loaded", account)
        else:
            delay = now - asked.pop(account)
            seen.busy["workers"] += (now - began.pop(account)) / plan.workers
            seen.until = now
            idle += 1
            if what == "loaded":
                seen.delays.append(delay)
            seen.failed += what == "failed"
        while idle and waiting:
            idle -= 1
            chosen = waiting.popleft()
            launched = through("daemons", costs.launch / plan.daemons)
            began[chosen] = launched
            push(launched, "launched", chosen)
    return seen


def rows(plan: Plan, workers: list[int]) -> Iterator[str]:
    """Give a line for each number of workers."""
    parts = ("daemons", "workers", "API", "catalog")
    head = (
        "workers",
        "median delay",
        "95 %",
        "last",
        "an account every",
        *(f"{p} busy" for p in parts),
    )
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join(['---:'] * len(head))} |"
    for some in workers:
        seen = simulate(replace(plan, workers=some))
        cuts = quantiles(seen.delays, n=20)
        every = plan.accounts * seen.until / len(seen.delays)
        minutes = (cuts[9], cuts[18], max(seen.delays), max(every, plan.every))
        cells = [f"{some:,}", *(f"{seconds / 60:.1f} min" for seconds in minutes)]
        cells += [f"{seen.busy[part] / seen.until:.0%}" for part in parts]
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale_model", description=__doc__)
    known = Plan()
    for name in ("accounts", "events", "daemons", "every", "hours", "latency", "rate", "failing"):
        value = getattr(known, name)
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8, 16, 32])
    options = vars(parser.parse_args())
    workers = options.pop("workers")
    plan = replace(known, **options)
    print(
        f"{plan.accounts:,} accounts of {plan.events:,} events, every {plan.every / 60:g} minutes, "
        f"by {plan.daemons} instance{'s' * (plan.daemons > 1)} of Dagster; "
        f"{plan.rate:g} requests a second allowed, {plan.failing:.0%} of the syncs fail:\n"
    )
    print("\n".join(rows(plan, workers)))


if __name__ == "__main__":
    main()
