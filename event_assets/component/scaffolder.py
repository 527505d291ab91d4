"""`dg scaffold defs event_assets.EventApi NAME`: a commented `defs.yaml` that works."""

from pathlib import Path

import dagster as dg
from pydantic import BaseModel

from event_assets.component.json_schema import editor_line

TEMPLATE = Path(__file__).with_name("scaffold.yaml")


class EventApiScaffolder(dg.Scaffolder[BaseModel]):
    """Writes the `defs.yaml` of a new source, which syncs the sandbox until its API is set."""

    def scaffold(self, request: dg.ScaffoldRequest[BaseModel]) -> None:
        """Write the file into the new folder, which names the source."""
        if request.scaffold_format != "yaml" or request.append:
            dg.scaffold_component(request)
            return
        name, file = request.target_path.name, request.target_path / "defs.yaml"
        text = TEMPLATE.read_text(encoding="utf-8").replace("NAME", name.upper())
        file.write_text(editor_line(file) + text.replace("name_", name), "utf-8")
