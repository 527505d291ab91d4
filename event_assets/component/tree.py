"""The tree of the components of a project, as Dagster loads it."""

from importlib import import_module

import dagster as dg

from event_assets.component.yaml_file import read_yaml
from event_assets.config.project import defs_module, find_project
from event_assets.config.settings import require_valid_settings
from event_assets.values.errors import ConfigError


def load_tree() -> dg.ComponentTree:
    """Return the tree of the project's components, whose YAML files can be read.

    Raises:
        ConfigError: there is no project, a setting cannot be, or a file cannot be read.
    """
    require_valid_settings()
    # Not `for_project`, which parses pyproject.toml twice, in a tenth of a second.
    module = import_module(defs_module())
    tree = dg.ComponentTree.from_module(defs_module=module, project_root=find_project())
    problems = []
    for file in sorted(tree.defs_module_path.rglob("defs.y*ml")):
        try:
            read_yaml(file)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return tree
