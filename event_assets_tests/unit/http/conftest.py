"""What the tests of the journal share."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a journal, which is not there."""
    return tmp_path / "working" / "events.journal"
