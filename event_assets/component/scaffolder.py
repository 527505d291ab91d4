"""`dg scaffold defs event_assets.EventApi NAME`: a commented `defs.yaml` that works."""

from pathlib import Path

import dagster as dg
from pydantic import BaseModel

TEMPLATE = Path(__file__).with_name("scaffold.yaml")


class EventApiScaffolder(dg.Scaffolder[BaseModel]):
    """Writes the `defs.yaml` of a new source, which syncs the sandbox until its API is set."""

    def scaffold(self, request: dg.ScaffoldRequest[BaseModel]) -> None:
        """Write the file into the new folder, which names the source."""
        if request.scaffold_format != "yaml" or request.append:
            dg.scaffold_component(request)
            return
        name = request.target_path.name
        text = TEMPLATE.read_text(encoding="utf-8").replace("NAME", name.upper())
        (request.target_path / "defs.yaml").write_text(text.replace("name_", name), "utf-8")
