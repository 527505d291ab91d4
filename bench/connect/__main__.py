"""Connect every API that there is a server of, and print what came of it (`-m bench.connect`)."""

from __future__ import annotations

import argparse
import io
import logging
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.connect.case import Case
from bench.connect.evaluate import Outcome, evaluate
from bench.connect.examples import serve_example
from bench.connect.lists import FEW, serve_list
from bench.connect.platforms import PLATFORMS, serve_platform
from bench.connect.sandboxes import FAULTS, serve_sandbox
from bench.connect.synthetic import serve_synthetic
from event_assets_tests.support.event_apis import APIS
from event_assets_tests.support.synthetic_apis import KEPT_SEEDS, make
from event_assets_tests.vendors.table import VENDORS

GROUPS = ("platforms", "examples", "lists", "few events", "sandbox", "synthetic")
NEVER = ("GREEN AND SHORT", "GREEN AND WRONG")
MAX_SECONDS = 180  # of a case


def main() -> int:
    """Evaluate what the options select, and print the table; return 1 if a sync is wrong."""
    options = _parse_options()
    logging.disable(logging.CRITICAL)
    cases = [case for case in _list_cases(options) if (options.case or "") in case.name]
    if not options.platforms:
        print("Without --platforms FOLDER, the servers shaped like platforms are left out.")
    outcomes = [*_evaluate_all(cases)]
    print("\n".join(_table(outcomes)))
    return any(outcome.result in NEVER for outcome in outcomes)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.connect", description=__doc__)
    parser.add_argument("--platforms", type=Path, help="folder of servers shaped like platforms")
    parser.add_argument("--only", action="append", choices=GROUPS, help="a group (repeatable)")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=KEPT_SEEDS, help="of synthetic APIs"
    )
    parser.add_argument("--case", help="only cases whose name has this text")
    return parser.parse_args()


def _list_cases(options: argparse.Namespace) -> list[Case]:
    platforms = PLATFORMS if options.platforms else ()
    found = [
        *(Case("platforms", name, partial(serve_platform, options.platforms, name))
          for name in platforms),
        *(Case("examples", name, partial(serve_example, name)) for name in sorted(VENDORS)),
        *(Case("lists", name, partial(serve_list, name)) for name in APIS),
        *(Case("few events", name, partial(serve_list, name, FEW)) for name in APIS),
        *(Case("sandbox", name, partial(serve_sandbox, faults)) for name, faults in FAULTS.items()),
        *(Case("synthetic", str(api), partial(serve_synthetic, api))
          for api in map(make, options.seeds)),
    ]  # fmt: skip
    return [case for case in found if not options.only or case.group in options.only]


def _evaluate_all(cases: Sequence[Case]) -> Iterator[Outcome]:
    signal.signal(signal.SIGALRM, _time_out)
    for number, case in enumerate(cases, start=1):
        print(f"{number}/{len(cases)} {case.group} {case.name}", file=sys.stderr, flush=True)
        signal.alarm(MAX_SECONDS)
        try:
            with redirect_stdout(io.StringIO()):  # the summaries of the syncs
                outcome = evaluate(case)
            for other in outcome.others:
                print(f"    {other[:400]}", file=sys.stderr)
            yield outcome
        except Exception as error:  # of any kind: the other cases go on
            traceback.print_exc()
            said = f"{type(error).__name__}: {error}"
            yield Outcome(case, "ERROR", said, (), (0, 0), (0, 0), "", None, 0)
        finally:
            signal.alarm(0)


def _time_out(*_: Any) -> None:
    raise TimeoutError(f"took more than {MAX_SECONDS} s")


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of the table, and of the figures of each group."""
    for group, members in groupby(outcomes, lambda outcome: outcome.case.group):
        rows = [*members]
        yield f"\n## {group}\n"
        yield "| API | connect | requests | seconds | dlt detects | dlt loads |"
        yield "| --- | --- | --- | --- | --- | --- |"
        yield from map(_row, rows)
        yield ""
        yield _figures(group, rows)


def _row(outcome: Outcome) -> str:
    reason = outcome.reason.replace("|", "/").replace("\n", " ")
    result = outcome.result if outcome.result == "at once" else f"{outcome.result}: {reason}"
    requests = "{} + {}".format(*outcome.requests)
    seconds = "{:.1f} + {:.1f}".format(*outcome.seconds)
    loaded = "fails" if outcome.loaded is None else f"{outcome.loaded:,} of {outcome.events:,}"
    name = outcome.case.name.replace("|", "/")
    return f"| {name} | {result[:500]} | {requests} | {seconds} | {outcome.detected} | {loaded} |"


def _figures(group: str, rows: Sequence[Outcome]) -> str:
    once = sum(row.result == "at once" for row in rows)
    shown = sum(row.result == "as documented" for row in rows)
    answered = sum(row.result.startswith("with ") for row in rows)
    wrong = sum(row.result in NEVER for row in rows)
    by_dlt = sum(row.loaded == row.events for row in rows)
    seconds = sorted(row.seconds[0] for row in rows)
    return (
        f"{group}: {once} of {len(rows)} at once, {shown} with the key's place as the "
        f"documentation shows it, {answered} with one setting, "
        f"{len(rows) - once - shown - answered - wrong} not, {wrong} green and short or wrong; "
        f"plain dlt loads as many records as there are events of {by_dlt}. "
        f"To find out: {max(row.requests[0] for row in rows)} requests at most, "
        f"{seconds[len(seconds) // 2]:.1f} s (median), {seconds[-1]:.1f} s at most."
    )


if __name__ == "__main__":
    sys.exit(main())
