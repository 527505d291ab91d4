"""What each command, and each process of Dagster, may import."""

from __future__ import annotations

import json

import pytest

from event_assets_tests.support.project import Project
from event_assets_tests.support.small_database import write_database

# The packages that a command may import, by its arguments: it answers at once.
LIGHT = {"click", "dotenv"}


FILES = {*LIGHT, "yaml", "cython_runtime"}


READING = {*FILES, "duckdb", "pytz"}


TABLES = {*READING, "rich", "pygments", "markdown_it", "mdurl"}


MAY_IMPORT = {
    (): LIGHT,
    ("--version",): LIGHT,
    ("connect", "--help"): FILES,
    ("sync", "--help"): FILES,
    ("check", "--help"): LIGHT,
    ("probe", "--help"): FILES,
    ("erase", "--help"): FILES,
    ("remove", "--help"): {*FILES, "duckdb"},
    ("sources",): FILES,
    ("status",): READING,
    ("show",): TABLES,
    ("show", "--changes"): TABLES,
    ("show", "--sql", "select 1 as a"): TABLES,
}


STARTED = """
import json, sys
from event_assets.cli.main import run
status = run(sys.argv[1:])
packages = {name.partition(".")[0] for name in sys.modules}
packages -= {"event_assets", "__main__", "sitecustomize"}
ours = {name for name in packages if name not in sys.stdlib_module_names}
print(json.dumps(sorted(ours)), file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize("arguments", MAY_IMPORT, ids=lambda arguments: " ".join(arguments) or "-")
def test_a_command_imports_only_what_it_needs(project: Project, arguments: tuple[str, ...]) -> None:
    write_database(project.database)
    done = project.run("python", "-c", STARTED, *arguments, PYTHONWARNINGS="error")
    assert done.returncode == 0, done.stderr
    imported = {name for name in json.loads(done.stderr) if not name.startswith("_")}
    assert imported <= MAY_IMPORT[arguments]


# What each part of Dagster's processes must not import, by the code that it runs.
FOR_FEW = {"celery", "kubernetes", "uvicorn", "starlette", "jsonschema", "pandas", "rich"}


NO_SYNC = {*FOR_FEW, "event_assets.probe", "event_assets.cli.connect", "dagster_sling"}


NO_DEFINITION = {*NO_SYNC, "pyarrow", "event_assets.sync.runner", "event_assets.http.session"}


NEVER = {
    # by `run_launcher` and `compute_logs` of dagster.yaml: the web server, the daemon, each command
    "import event_assets.orchestration.launcher": {*NO_DEFINITION, "dlt", "duckdb", "requests"},
    "from event_assets.definitions import defs; defs()": NO_DEFINITION,
    "from event_assets.orchestration import check_results, steps": NO_SYNC,
}


@pytest.mark.parametrize("code", NEVER)
def test_definitions_and_syncs_import_nothing_that_they_do_not_need(
    project: Project, code: str
) -> None:
    done = project.run(
        "python", "-c", f"{code}\nimport sys\nprint(*{NEVER[code]!r} & {{*sys.modules}})"
    )
    assert (done.stdout, done.stderr) == ("\n", "")
