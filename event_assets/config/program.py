"""How messages name this program."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "event-assets"


def program() -> str:
    """Return how to call this program from the working directory."""
    file = Path(sys.executable).with_name(NAME)
    if not file.exists() or shutil.which(NAME) == str(file):
        return NAME
    shown = os.path.relpath(file)
    return shlex.quote(str(file) if shown.startswith("..") else shown)
