"""`docs/reliability.md` has a row for each test of the faults suite, by its name, and no other."""

import ast
import re

from event_assets_tests.support.docs import page
from event_assets_tests.support.project import ROOT


def test_the_page_lists_the_tests_of_the_faults_suite() -> None:
    tests = [
        node.name
        for file in (ROOT / "event_assets_tests" / "faults").glob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    rows = list(page("docs/reliability.md").rows())
    sentences = [re.sub(r"[^a-z0-9]+", " ", row.cells[0].lower()).split() for row in rows]
    assert sorted("_".join(["test", *words]) for words in sentences) == sorted(tests)
    assert all(int(row.cells[1]) >= 1 for row in rows)
