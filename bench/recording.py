"""Record what a person sees of `event-assets connect`, for the README (`-m bench.recording`).

The API is a synthetic one on loopback, shown under another address; the project is a copy.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from event_assets_tests.support.project import FILES, ROOT
from event_assets_tests.support.synthetic_apis import make, serve
from event_assets_tests.support.synthetic_apis.grammar import DENIALS, SECRET, Auth, Paging, Records

SHOWN_ADDRESS = "https://api.example.com"
WIDTH = "120"
BLOCK = re.compile(r"```console\n\$ event-assets connect .*?\n```\n", re.DOTALL)
API = replace(
    make(0),
    auth=Auth("header", "X-Api-Key"),
    denial=DENIALS[1],
    records=Records("data"),
    paging=Paging("cursor", "cursor", "limit", "meta.next_cursor"),
    total="right",
    total_path="meta.total",
    path="/v2/events",
    pasted="",
    quirk="none",
    times="local with a zone",
    names="HTML",
    key="id",
    most=100,
    default=25,
    count=437,
)
COMMAND = "event-assets connect {url}/v2/events --name concerts --key-from-env KEY --yes"


def main() -> None:
    """Print the recording as a block of Markdown, or put it in place of the one in a file."""
    parser = argparse.ArgumentParser(prog="python -m bench.recording", description=__doc__)
    parser.add_argument("--write", type=Path, help="a Markdown file with an earlier recording")
    options = parser.parse_args()
    block = "```console\n{}\n```\n".format("\n".join(_record()))
    if options.write is None:
        sys.stdout.write(block)
        return
    text, found = BLOCK.subn(lambda _: block, options.write.read_text("utf-8"))
    if found != 1:
        sys.exit(f"{options.write} has no recording to replace.")
    options.write.write_text(text, "utf-8")


def _record() -> Iterator[str]:
    """Yield the lines of the command and of its output."""
    with TemporaryDirectory(prefix="recording_") as home, serve(API) as platform:
        folder = Path(home) / "project"
        folder.mkdir()
        for name in FILES:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        yield f"$ {COMMAND.format(url=SHOWN_ADDRESS)}"
        for line in _run(COMMAND.format(url=platform.url), folder).rstrip().splitlines():
            shown = line.replace(platform.url, SHOWN_ADDRESS).replace(f"{folder}/", "")
            yield shown.replace(f"{Path(sys.executable).parent}/", "").rstrip()


def _run(command: str, folder: Path) -> str:
    """Return what a command prints, in a project and with an environment of its own."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DAGSTER_HOME": str(folder)}
    environment |= {"KEY": SECRET, "COLUMNS": WIDTH, "NO_COLOR": "1"}
    words = [sys.executable, "-m", "event_assets", *shlex.split(command)[1:]]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command} failed: {done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
