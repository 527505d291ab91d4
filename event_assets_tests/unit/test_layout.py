"""The tests stand alone: what they share lies in `support` or in helper modules."""

import re

from event_assets_tests.support.project import ROOT

IMPORT = re.compile(r"^(?:from|import) event_assets_tests\S*\.test_", flags=re.MULTILINE)


def test_no_test_module_imports_another() -> None:
    modules = (ROOT / "event_assets_tests").rglob("*.py")
    assert [module.name for module in modules if IMPORT.search(module.read_text())] == []
