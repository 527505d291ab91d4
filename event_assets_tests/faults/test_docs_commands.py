"""The commands of the documentation that need only the sandbox, each run once as it stands."""

import shutil
from pathlib import Path

import pytest

from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.commands import run_script
from event_assets_tests.support.docs import Page, pages
from event_assets_tests.support.project import ROOT

# What commands begin with that are not run, and why.
NOT_RUN = {
    "make dev": "serves until it is stopped; test-ui does",
    "make setup-dev": "downloads packages",
    "make lint": "is what CI runs",
    "make test": "is what CI runs",
    "make bench": "takes minutes",
    "make audit": "asks a public database",
    ".venv/bin/python -m bench": "takes minutes",
    ".venv/bin/python -m pytest": "is part of make test",
    ".venv/bin/event-assets connect": "asks an API on the web, here an invented one",
    ".venv/bin/pre-commit": "changes a git repository",
    "git clone": "needs a server",
    "docker build": "needs Docker",
    "kubectl": "needs a cluster",
    "helm": "needs a cluster",
}
# test_operations.py and test_neighbours.py run the first, test_scaffolder.py the second
ELSEWHERE = ("docs/operations.md", "docs/own-project.md")
AFTER_A_SYNC = ("docs/erase-a-person.md",)
# make as it is after `make setup`
MAKE = "make --old-file=.venv/.ready "


def lines_of(page: Page) -> list[str]:
    return [line for block in page.blocks() for line in block.splitlines() if line.strip()]


def scripts_of(page: Page) -> list[str]:
    """Return the blocks of a page, without what is not run."""
    kept = [
        "\n".join(line for line in block.splitlines() if not line.startswith(tuple(NOT_RUN)))
        for block in page.blocks()
    ]
    return [script for script in kept if script.strip()]


PAGES = [page for page in pages() if page.name not in ELSEWHERE and scripts_of(page)]


def test_every_command_that_is_not_run_here_is_in_a_page() -> None:
    lines = [line for page in pages() for line in lines_of(page)]
    unused = [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)]
    assert not unused


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_do_what_they_are_for(page: Page, tries: Tries, here: Path) -> None:
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, here / name)
    shutil.copytree(ROOT / "examples", here / "examples")
    first = ["make run"] if page.name in AFTER_A_SYNC else []
    for script in [*first, *scripts_of(page)]:
        with tries.trying(f"commands of {page.name}"):
            done = run_script(script.replace("make ", MAKE), here)
            assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
            (here / ".env").unlink(missing_ok=True)  # so that the sandbox is synced
