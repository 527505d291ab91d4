"""`python -m event_assets.component`: write the JSON schema of a source's YAML."""

import json

from event_assets.component.component import EventApi
from event_assets.component.json_schema import FILE, build_document


def main() -> None:
    """Write the schema of a whole `defs.yaml` into the package."""
    attributes = EventApi.get_model_cls().model_json_schema()
    FILE.write_text(json.dumps(build_document(attributes), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
