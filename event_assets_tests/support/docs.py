"""The documentation as data: pages, reference tables, code spans and commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from event_assets_tests.support.project import ROOT

FOLDERS = (".", "bench", "deploy", "docs", "examples")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Row:
    """A row of a table: the heading above it, the table's first title, and the cells."""

    heading: str
    title: str
    cells: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Return what the first cell has in backticks."""
        return SPAN.findall(self.cells[0])


@dataclass(frozen=True)
class Page:
    """A page in Markdown."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Return its path from the project's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def prose(self) -> str:
        """Return its text without the blocks of code."""
        return FENCE.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """Return what is in backticks in its text."""
        return SPAN.findall(self.prose)

    def blocks(self, language: str = "sh") -> list[str]:
        """Return its blocks of code in a language."""
        return [body for kind, body in FENCE.findall(self.text) if kind == language]

    @property
    def links(self) -> list[str]:
        """Return the targets of its links that are not on the web."""
        return [link for link in LINK.findall(self.prose) if "://" not in link]

    @property
    def anchors(self) -> set[str]:
        """Return the anchors of its headings, as GitHub makes them."""
        headings = re.findall(r"^#+ (.+)$", self.prose, flags=re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}

    def rows(self) -> Iterator[Row]:
        """Yield the rows of its tables."""
        heading = title = ""
        for line in self.prose.splitlines():
            if line.startswith("#"):
                heading = line.lstrip("# ")
            if not line.startswith("|"):
                title = ""
                continue
            cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            if not title:
                title = cells[0] or "-"
            elif not set(line) <= set("|-: "):
                yield Row(heading, title, cells)


def _load(path: Path) -> Page:
    return Page(path, path.read_text(encoding="utf-8"))


def pages() -> list[Page]:
    """Return all pages."""
    found = {path for name in FOLDERS for path in (ROOT / name).glob("*.md")}
    nested = {path for name in ("deploy", "docs") for path in (ROOT / name).glob("*/*.md")}
    return [_load(path) for path in sorted(found | nested)]


def page(name: str) -> Page:
    """Return the page at a path from the project's root."""
    return _load(ROOT / name)


def reference(title: str) -> dict[str, Row]:
    """Return the rows of all tables with a first title, by the name in the first cell."""
    rows = [row for page in pages() for row in page.rows() if row.title == title]
    return {name: row for row in rows for name in row.names}
