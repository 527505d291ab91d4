"""Measure this project beside other ways to sync the same API, and print tables (`make bench`).

Each run is written to `data/bench.jsonl` as soon as it ends; the tables are of all that is there.
"""

import argparse
import os
import platform
import re
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version

from bench import losses, peers, soak
from bench.measure import ROOT
from bench.parts import PARTS
from bench.report import draw_growth, format_tables
from bench.results import Results, Run

FILE = ROOT / "data" / "bench.jsonl"
README, CHART = ROOT / "bench" / "README.md", ROOT / "bench" / "growth.svg"
PICTURE = "![CPU time per event and peak memory by the number of events](growth.svg)"
SECTION = re.compile(r"(?<=\n## Figures\n\n).*?(?=\n## )", re.DOTALL)


def main() -> None:
    """Measure what the options select and print the tables."""
    # Exit through the context managers.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    options = _parse_options()
    measures: dict[str, Callable[[], Iterator[Run]]] = {
        **{part.name: partial(part.run, options.scale, options.runs) for part in PARTS},
        losses.PART: losses.run,
        soak.PART: soak.measure_history,
    }
    results = Results(FILE)
    parts = [] if options.show else options.only or list(measures)
    if "sync" in parts:
        peers.install()
    for part in parts:
        results.forget(part)
        for run in measures[part]():
            results.add(run)
    text = f"{_describe_machine()}\n\n{format_tables(results)}"
    print(text)
    if options.write:
        if chart := draw_growth(results):
            CHART.write_text(chart, "utf-8")
            text += f"\n{PICTURE}\n"
        README.write_text(SECTION.sub(lambda _: text, README.read_text("utf-8")), "utf-8")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [*(part.name for part in PARTS), losses.PART, soak.PART]
    parser.add_argument("--only", action="append", choices=names, help="a part (repeatable)")
    parser.add_argument("--scale", type=float, default=1, help="times the events of each part")
    parser.add_argument("--runs", type=int, default=5, help="at the most, of each step")
    parser.add_argument("--show", action="store_true", help="measure nothing: print what is there")
    parser.add_argument("--write", action="store_true", help="also into bench/README.md")
    return parser.parse_args()


def _describe_machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("dlt", "dagster", "duckdb"))
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {packages}"
    )


if __name__ == "__main__":
    main()
