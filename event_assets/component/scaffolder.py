"""`dg scaffold defs event_assets.EventApi NAME`: a commented `defs.yaml` that works."""

import re
from pathlib import Path

import dagster as dg
from pydantic import BaseModel, Field

from event_assets._compat.dagster import PlainFailure
from event_assets.component.json_schema import editor_line
from event_assets.component.source_name import require_source_name
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.values.errors import ConfigError

TEMPLATE = Path(__file__).with_name("scaffold.yaml")


class EventApiParams(BaseModel):
    """What may be given to a new source."""

    url: str | None = Field(
        default=None, description="The address of the API's list of events, if it needs no key."
    )


class EventApiScaffolder(dg.Scaffolder[EventApiParams]):
    """Writes the `defs.yaml` of a new source, which syncs the sandbox until its API is set."""

    @classmethod
    def get_scaffold_params(cls) -> type[EventApiParams]:
        """Return the type of the options."""
        return EventApiParams

    def scaffold(self, request: dg.ScaffoldRequest[EventApiParams]) -> None:
        """Write the file into the new folder, which names the source.

        Raises:
            PlainFailure: the folder cannot name a source, the API cannot be read, or what it is
                like needs an answer, which `event-assets connect` asks.
        """
        if request.scaffold_format != "yaml" or request.append:
            dg.scaffold_component(request)
            return
        folder = request.target_path
        url = request.params.url if request.params else None
        try:
            text = run_with_plain_errors(lambda: _write(folder, url))
        except PlainFailure:
            folder.rmdir()  # which `dg` has made
            raise
        file = folder / "defs.yaml"
        file.write_text(editor_line(file) + text, "utf-8")


def _write(folder: Path, url: str | None) -> str:
    require_source_name(folder)
    return _find_out(url, folder.name) if url else _fill_template(folder.name)


def _find_out(url: str, name: str) -> str:
    """Return what `event-assets connect` would write."""
    from event_assets.probe.discovery import discover  # which no definition needs
    from event_assets.probe.inquiry import Options
    from event_assets.probe.yaml_writer import write_yaml

    found = discover(Options(url, name))
    if found.variables:  # which belong in .env
        raise ConfigError("The address holds a key: give it to `event-assets connect`.")
    if questions := found.open_questions:
        raise ConfigError(f"{questions[0].text} Answer it by `event-assets connect {url}`.")
    return write_yaml(found.document, found.comments)


def _fill_template(name: str) -> str:
    text = TEMPLATE.read_text(encoding="utf-8").replace("name_", name)
    return re.sub(r"\bNAME(?=_)", name.upper(), text)
