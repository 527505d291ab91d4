"""`dg scaffold defs event_assets.EventApi NAME`: a commented `defs.yaml` that works."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg

from event_assets._compat.dagster import PlainFailure
from event_assets.component.json_schema import editor_line
from event_assets.component.source_name import require_source_name
from event_assets.values.errors import ConfigError

TEMPLATE = Path(__file__).with_name("scaffold.yaml")


class EventApiScaffolder(dg.Scaffolder[Any]):
    """Writes the `defs.yaml` of a new source, which syncs the sandbox until its API is set."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write the file into the new folder, which names the source.

        Raises:
            PlainFailure: the folder cannot name a source.
        """
        if request.scaffold_format != "yaml" or request.append:
            dg.scaffold_component(request)
            return
        folder = request.target_path
        try:
            require_source_name(folder)
        except ConfigError as error:
            with suppress(OSError):  # `dg` has made it; one with files stays
                folder.rmdir()
            raise PlainFailure(str(error)) from None
        file = folder / "defs.yaml"
        text = TEMPLATE.read_text(encoding="utf-8").replace("name_", folder.name)
        text = re.sub(r"\bNAME(?=_)", folder.name.upper(), text)
        file.write_text(editor_line(file) + text, "utf-8")
