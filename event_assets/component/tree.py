"""The tree of the components of a project, as Dagster loads it."""

import dagster as dg

from event_assets.component.yaml_file import read_yaml
from event_assets.config.project import find_project
from event_assets.values.errors import ConfigError


def load_tree() -> dg.ComponentTree:
    """Return the tree of the project's components, whose YAML files can be read.

    Raises:
        ConfigError: there is no project, or a file cannot be read.
    """
    folder = find_project()
    if not (folder / "pyproject.toml").is_file():
        raise ConfigError(f"There is no project in {folder}: it has no pyproject.toml.")
    tree = dg.ComponentTree.for_project(folder)
    problems = []
    for file in sorted(tree.defs_module_path.rglob("defs.y*ml")):
        try:
            read_yaml(file)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return tree
