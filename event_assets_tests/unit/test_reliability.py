"""`docs/reliability.md` has a row for each test of the faults suite, and no other."""

import ast

from event_assets_tests.support.docs import page
from event_assets_tests.support.project import ROOT


def test_the_page_lists_the_tests_of_the_faults_suite() -> None:
    tests = [
        f"{file.stem}/{node.name}"
        for file in sorted((ROOT / "event_assets_tests" / "faults").glob("test_*.py"))
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    rows = list(page("docs/reliability.md").rows())
    listed = [name for row in rows for name in row.names]
    assert sorted(listed) == sorted(tests)
    assert all(int(row.cells[1]) >= 1 and row.cells[2] for row in rows)
