"""What the documentation names exists, and what exists is documented."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from event_assets import EventApi
from event_assets.config.settings import KEYS
from event_assets.definitions import defs
from event_assets_tests.support.commands import (
    console_scripts,
    existing,
    is_command,
    make_targets,
    problems_of,
    runnable_modules,
)
from event_assets_tests.support.contracts import contract, load
from event_assets_tests.support.docs import SPAN, Page, pages, reference
from event_assets_tests.support.project import ROOT

PAGES = pages()
HISTORY = ("CHANGELOG.md", "docs/adr/")  # pages that name what is gone
NAMESPACES = "EVENTS|EVENT_ASSETS|ALERT|DAGSTER"
VARIABLE = re.compile(
    rf"(?:{NAMESPACES})_[A-Z0-9_]*[A-Z0-9]|REQUESTS_CA_BUNDLE|SSL_CERT_FILE|CI"  # and others' names
)
MENTION = re.compile(rf"\b((?:{NAMESPACES})_[A-Z0-9_]*[A-Z0-9])(_\*)?")
IN_SHELL = re.compile(rf"\$\{{?((?:{NAMESPACES})_[A-Z0-9_]+)")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]*)+")
IN_YAML = re.compile(r"\{\{ env\.(\w+) \}\}")


def current() -> list[Page]:
    """Return the pages about the present."""
    return [page for page in PAGES if not page.name.startswith(HISTORY)]


def variables_in(tree: ast.AST) -> Iterator[str]:
    """Yield the names of variables among the constants of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if VARIABLE.fullmatch(node.value):
                yield node.value
            yield from IN_YAML.findall(node.value)


def variables_of(*folders: str) -> set[str]:
    """Return the variables that the Python code in folders names."""
    files = (file for name in folders for file in (ROOT / name).rglob("*.py"))
    return {name for file in files for name in variables_in(ast.parse(file.read_text()))}


def variables() -> set[str]:
    """Return the variables that the code, its sources and the files to deploy read."""
    found = variables_of("event_assets") | {*KEYS}
    for file in (ROOT / "event_assets/defs").rglob("*.yaml"):
        found.update(IN_YAML.findall(file.read_text()))
    for file in (ROOT / "deploy/celery").iterdir():
        if file.is_file():
            found.update(IN_SHELL.findall(file.read_text()))
            found.update(re.findall(r"env: (\w+)", file.read_text()))
    return found


def read_variables(file: Path) -> Iterator[str]:
    """Yield the variables that a module reads from `os.environ`, by name or by constant."""
    tree = ast.parse(file.read_text())
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            key: ast.expr = node.slice
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "os.environ.get",
            "os.getenv",
        ):
            key = node.args[0]
        else:
            continue
        if isinstance(key, ast.Constant):
            yield str(key.value)
        elif isinstance(key, ast.Name) and key.id in constants:
            yield str(constants[key.id])


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    assert set(reference("variable")) == variables()


def test_every_variable_that_is_read_is_documented() -> None:
    read = {
        name
        for file in (ROOT / "event_assets").rglob("*.py")
        for name in read_variables(file)
        if not name.startswith("XDG_")
    }
    assert len(read) > 5
    assert read <= set(reference("variable"))


def test_every_variable_that_is_mentioned_exists() -> None:
    known = variables() | variables_of("event_assets_tests", "bench")
    for page in current():
        for name, family in MENTION.findall(page.text):
            if "__" not in name:
                exists = any(other.startswith(name) for other in known) if family else name in known
                assert exists, f"{page.name}: {name}"


def keys_of(schema: dict[str, Any], root: dict[str, Any], prefix: str = "") -> Iterator[Any]:
    """Yield the keys of a JSON schema as paths, with their schemas and whether they are required.

    An object of any names has `NAME` in its paths.
    """
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("anyOf", ()):
        yield from keys_of(choice, root, prefix)
    for name, inner in schema.get("properties", {}).items():
        yield f"{prefix}{name}", inner, name in schema.get("required", ())
        yield from keys_of(inner, root, f"{prefix}{name}.")
    if isinstance(others := schema.get("additionalProperties"), dict):
        yield from keys_of(others, root, f"{prefix}NAME.")


def test_every_key_of_the_yaml_is_documented_with_its_default() -> None:
    schema = EventApi.model_json_schema()
    keys = {path: (inner, required) for path, inner, required in keys_of(schema, schema)}
    documented = reference("key")
    assert set(documented) == set(keys)
    for path, row in documented.items():
        inner, required = keys[path]
        default = row.cells[2]
        alternative = path in ("accounts.file", "accounts.query")
        assert (default == "required") == (required and not alternative), path
        given = SPAN.fullmatch(default)
        if (value := inner.get("default")) not in (None, [], {}):
            shown = f"{value:g}" if isinstance(value, float) else value
            assert given, path
            assert given[1] == (shown if isinstance(shown, str) else json.dumps(shown)), path


def test_the_yaml_in_the_pages_is_yaml() -> None:
    blocks = [(page, block) for page in PAGES for block in page.blocks("yaml")]
    assert blocks
    for page, block in blocks:
        assert yaml.safe_load(block) is not None, page.name


def every_definition() -> list[dg.Definitions]:
    """Load the default source, and one with all that adds definitions."""
    rest_api = contract()["attributes"]["rest_api"]
    endpoint = {**rest_api["resources"][0]["endpoint"]}
    endpoint["incremental"] = {"start_param": "since", "cursor_path": "updated_at"}
    rest_api = {**rest_api, "resources": [{"name": "event_data", "endpoint": endpoint}]}
    everything = contract(rest_api=rest_api, accounts=["one"], full_sync="0 3 * * *")
    return [defs(), load(everything)]


def test_every_asset_check_job_and_sensor_is_documented() -> None:
    loaded = every_definition()
    graphs = [definitions.resolve_asset_graph() for definitions in loaded]
    assets = {key.to_user_string() for graph in graphs for key in graph.get_all_asset_keys()}
    assert set(reference("asset")) == assets
    checks = {key.name for graph in graphs for key in graph.asset_check_keys}
    assert set(reference("check")) == checks
    assert set(reference("job")) == {job.name for each in loaded for job in each.jobs or ()}
    sensors = {sensor.name for each in loaded for sensor in each.sensors or ()}
    named = {span for page in current() for span in page.spans}
    assert sensors <= named
    assert set(reference("sensor")) <= sensors


def test_every_command_is_documented() -> None:
    spans = "\n".join(span for page in current() for span in [*page.spans, *page.blocks()])
    made = set(re.findall(r"\bmake ([a-z][a-z-]*)", spans))
    assert made == make_targets()
    run = set(re.findall(r"python -m ((?:event_assets|bench)[\w.]*)", spans))
    assert run == runnable_modules() - {"bench.worker"}  # a child process of the benchmark
    for script in console_scripts():
        assert re.search(rf"\b{script}\b", spans), script


SCRIPTS = [
    *((page.name, block) for page in PAGES for block in page.blocks()),
    *((page.name, span) for page in current() for span in page.spans if is_command(span)),
]


@pytest.mark.parametrize(
    ("where", "script"), SCRIPTS, ids=[f"{name}-{text[:40]}" for name, text in SCRIPTS]
)
def test_every_command_can_be_parsed(where: str, script: str) -> None:
    assert problems_of(script) == [], where


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("make rum", "no target"),
        ("make run && .venv/bin/python -m event_assets.prob", "no module"),
        (".venv/bin/python -m event_assets.probe --sugest", "--sugest"),
        ("event-assets synk", "no subcommand"),
        ("dagster job exec -j sync_events", "no subcommand"),
        ("dagster job execute --jobs sync_events", "--jobs"),
        ("dagster job backfill -j sync_events --all -m event_assets.definitions", "no code loc"),
        ("dg scaffold defs event_assets.EventApis concerts", "no component"),
        ("cp -r examples/nowhere event_assets/defs/", "no such file"),
        ("pyton -m x", "no such program"),
        ("python - <<'EOF'\nfrom event_assets import warehouse\nwarehouse.pat()\nEOF\n", "no such"),
    ],
)
def test_a_wrong_command_is_noticed(script: str, problem: str) -> None:
    (found,) = problems_of(script)
    assert problem in found


def test_every_link_leads_somewhere() -> None:
    by_path = {page.path.resolve(): page for page in PAGES}
    for page in PAGES:
        for link in page.links:
            name, _, anchor = link.partition("#")
            target = (page.path.parent / name).resolve() if name else page.path.resolve()
            assert target.exists(), f"{page.name}: {link}"
            if anchor:
                assert anchor in by_path[target].anchors, f"{page.name}: {link}"


def test_every_page_is_linked() -> None:
    links = [(page.path.parent, link.partition("#")[0]) for page in PAGES for link in page.links]
    linked = {(folder / name).resolve() for folder, name in links}
    assert {page.path.resolve() for page in PAGES} - linked <= {ROOT / "README.md"}


def test_every_file_that_is_named_exists() -> None:
    architecture = [page for page in PAGES if page.name == "docs/architecture.md"]
    decisions = [page for page in PAGES if page.name.startswith("docs/adr/")]
    told = [(page, span) for page in [*architecture, *decisions] for span in page.spans]
    named = [(page, span) for page, span in told if PATH.fullmatch(span)]
    assert len(named) > 20
    for page, path in named:
        assert existing(path), f"{page.name}: {path}"
