"""The commands of the page on operations."""

import re

from event_assets_tests.support.project import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
