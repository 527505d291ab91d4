"""The definitions of a project: every source under its `defs/`, and what they share."""

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import dagster as dg
from pydantic import ValidationError

from event_assets._compat.dagster import ResolutionException
from event_assets.component.yaml_file import read_yaml
from event_assets.config.project import INSTALLED, defs_module, find_project
from event_assets.config.settings import require_valid_settings
from event_assets.config.source_files import defs_folder, find_files, find_sources
from event_assets.orchestration.alerts import build_sensors
from event_assets.orchestration.derived_assets import build_all_events
from event_assets.orchestration.executors import in_process_executor
from event_assets.orchestration.housekeeping import build_housekeeping
from event_assets.values.errors import ConfigError, UserError, exception_chain

LOAD_ERRORS = (dg.DagsterError, ImportError, ResolutionException, SyntaxError, ValidationError)

# Dagster itself passes beta parameters when it loads asset checks.
warnings.filterwarnings("ignore", category=dg.BetaWarning, module=r"dagster\.")


def build_definitions() -> dg.Definitions:
    """Load the sources and add what they share.

    Raises:
        ConfigError: a mistake in the configuration, by file and line.
    """
    # Not `load_from_defs_folder`: mistakes in YAML are told by `load_tree`, without a traceback.
    with plain_load_errors(), warnings.catch_warnings():
        for category in (dg.BetaWarning, dg.PreviewWarning, DeprecationWarning):  # Dagster's own
            warnings.simplefilter("ignore", category)
        tree = load_tree()
        _for_each_source(tree, lambda file: tree.load_component(file.parent))
        # Without a path it describes the components of all packages, too, in twice the time.
        sources = tree.build_defs(tree.defs_module_path)
    shared = build_shared_definitions(sources)
    return dg.Definitions.merge(sources, dg.Definitions(component_tree=tree), shared)


@contextmanager
def plain_load_errors() -> Iterator[None]:
    """Tell in one sentence what Dagster finds wrong when it loads a component or a module.

    Raises:
        ConfigError: in place of that; what the code of a module raises stays as it is.
    """
    try:
        yield
        return
    except Exception as error:
        causes = list(exception_chain(error))
        known = [cause for cause in causes if isinstance(cause, LOAD_ERRORS)]
        if not known or any(isinstance(cause, UserError) for cause in causes):
            raise
        where = re.findall(r"^Error while .+? (\S+?)(?:\[\d+\])?:$", str(error), re.MULTILINE)
        found = known[0]
        problem = str(found).strip().partition("\n")[0]
        if isinstance(found, ValidationError):
            detail = found.errors()[0]
            keys = re.sub(r"tuple\[.*?\]\.|\w+Model\.", "", ".".join(map(str, detail["loc"])))
            problem = f"{keys.strip('`')}: {detail['msg']}"
    parts = ("Dagster cannot load the definitions", *where[:1], problem.rstrip("."))
    raise ConfigError(f"{': '.join(parts)}.")


def build_shared_definitions(sources: dg.Definitions) -> dg.Definitions:
    """Build `all_events`, the alerts, the executor and the housekeeping."""
    shared = dg.Definitions(
        assets=build_all_events(
            spec
            for assets in sources.assets or ()
            if isinstance(assets, dg.AssetsDefinition)
            for spec in assets.specs
        ),
        executor=in_process_executor,
        sensors=build_sensors(),
    )
    return dg.Definitions.merge(shared, build_housekeeping())


def _for_each_source(tree: dg.ComponentTree, action: Callable[[Path], object]) -> None:
    """Do something with each `defs.yaml`, so that no mistake in one hides that of another.

    Raises:
        ConfigError: the mistakes in them, a line each.
    """
    problems = []
    for file in find_files(tree.defs_module_path, "defs.yaml"):
        try:
            action(file)
        except Exception as error:
            found = [each for each in exception_chain(error) if isinstance(each, ConfigError)]
            if not found:
                raise
            problems.append(str(found[0]))
    if problems:
        raise ConfigError("\n".join(problems))


def make_importable() -> str:
    """Let Python find the project, which need not be installed; return the module of the sources.

    Raises:
        ConfigError: there is no project, or it has no folder for sources.
    """
    name = defs_module()
    root = str(defs_folder().parents[name.count(".")])
    if root not in sys.path:  # before an installed copy of it
        installed = (at for at, path in enumerate(sys.path) if Path(path).name in INSTALLED)
        sys.path.insert(next(installed, len(sys.path)), root)
    return name


def load_tree() -> dg.ComponentTree:
    """Return the tree of the project's components, whose YAML files can be read.

    Raises:
        ConfigError: there is no project, a setting cannot be, or a file cannot be read.
    """
    require_valid_settings()
    name = make_importable()
    # Not `for_project`, which parses pyproject.toml twice, in a tenth of a second.
    module = import_module(name)
    tree = dg.ComponentTree.from_module(defs_module=module, project_root=find_project())
    find_sources()  # raises for a source that Dagster would not load
    _for_each_source(tree, read_yaml)
    return tree
