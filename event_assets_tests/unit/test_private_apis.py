"""The parts of libraries that are not published: a row each, pinned as they were tried.

An upgrade of a library that fails here has changed something that this package relies on. Read
what it is needed for, adapt the module in `where`, and try it before the pin is moved. Everything
lies behind `event_assets/_compat`, but for what is named here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import event_assets

ROOT = Path(event_assets.__file__).parent
DAGSTER = "dagster 1.13.1 to 1.13.27"
DAGSTER_DLT = "dagster-dlt 0.29.1 to 0.29.27"
DLT = "dlt 1.31.0"
HTTP = "requests 2.32.3 to 2.34.2, urllib3 2.3.0 to 2.8.0"


class PrivateApi(NamedTuple):
    """One kind of place that relies on what a library does not publish.

    Attributes:
        where: the modules of ours that do.
        needed_for: why there is no public way.
        tried: the versions.
        symbols: `module:name` -> its signature without annotations, "class" or "attribute";
            two joined by ` or ` where versions that were tried differ.
        imports: the private modules that `where` imports, if it is not `_compat`.
        overrides: the private names that classes in `where` override or read, likewise.
    """

    where: tuple[str, ...]
    needed_for: str
    tried: str
    symbols: Mapping[str, str]
    imports: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


ROWS = (
    PrivateApi(
        ("_compat.dagster", "_compat.dagster_storage"),
        "A failure and an interrupt are recorded as a sentence without a traceback; Ctrl-C reaches "
        "nothing that Dagster cannot interrupt; what a step prints is copied without processes; "
        "the definitions of a project are found in its module; the file of what a run logs has "
        "small pages",
        DAGSTER,
        {
            "dagster._core.errors:DagsterUserCodeProcessError": "class",
            "dagster._core.errors:DagsterUserCodeProcessError.from_error_info": "(error_info)",
            "dagster._core.errors:DagsterAssetCheckFailedError": "class",
            "dagster_shared.error:SerializableErrorInfo.__new__": (
                "(cls, message, stack, cls_name, cause=None, context=None)"
            ),
            "dagster_shared.error:SerializableErrorInfo.to_string": "(self)",
            "dagster._utils.interrupts:capture_interrupts": "()",
            "dagster._utils.interrupts:check_captured_interrupt": "()",
            "dagster._core.storage.compute_log_manager:CapturedLogContext": "class",
            "dagster._core.storage.local_compute_log_manager:LocalComputeLogManager.__init__": (
                "(self, base_dir, polling_timeout=None, inst_data=None)"
            ),
            "dagster._core.storage.local_compute_log_manager:LocalComputeLogManager"
            ".capture_logs": "(self, log_key)",
            "dagster._core.storage.local_compute_log_manager:LocalComputeLogManager"
            ".get_captured_local_path": "(self, log_key, extension, partial=False)",
            "dagster._core.execution.compute_logs:redirect_to_file": "(stream, filepath)",
            "dagster.components.definitions:LazyDefinitions.__call__": "(self, context=None)",
            "dagster._utils:ensure_file": "(path)",
            "dagster._utils:touch_file": "(path)",
            "dagster._core.storage.event_log:SqliteEventLogStorage.__init__": (
                "(self, base_dir, inst_data=None)"
            ),
            "dagster._core.storage.event_log:SqliteEventLogStorage.path_for_shard": (
                "(self, run_id)"
            ),
            "dagster._core.storage.event_log:SqliteEventLogStorage.conn_string_for_shard": (
                "(self, shard_name)"
            ),
        },
    ),
    PrivateApi(
        ("_compat.dagster",),
        "Slots of killed runs are freed",
        DAGSTER,
        {
            "dagster:DagsterInstance.event_log_storage": "attribute",
            "dagster._core.storage.event_log.base:EventLogStorage"
            ".supports_global_concurrency_limits": "attribute",
            "dagster._core.storage.event_log.base:EventLogStorage"
            ".free_concurrency_slots_for_run": "(self, run_id)",
        },
    ),
    PrivateApi(
        ("_compat.dagster", "deployment.celery.launcher"),
        "A run whose worker is gone is noticed",
        DAGSTER,
        {
            "dagster._core.launcher:RunLauncher.supports_check_run_worker_health": "attribute",
            "dagster._core.launcher:RunLauncher.check_run_worker_health": "(self, run)",
            "dagster._core.launcher:CheckRunHealthResult.__new__": (
                "(_cls, status, msg=None, transient=None, run_worker_id=None)"
            ),
            "dagster._core.launcher:WorkerStatus.RUNNING": "attribute",
            "dagster._core.launcher:WorkerStatus.FAILED": "attribute",
            "dagster._core.launcher:WorkerStatus.NOT_FOUND": "attribute",
            "dagster:DagsterInstance.root_directory": "attribute",
        },
        overrides=("_instance",),
    ),
    PrivateApi(
        ("_compat.dagster", "cli.sources", "component.project", "definitions"),
        "What is wrong in a YAML file is told with its line, by commands in one sentence",
        DAGSTER,
        {
            "dagster:ComponentTree.from_module": "(defs_module, project_root)",
            "dagster:ComponentTree.build_defs": "(self, path=None) or (self, loc=None)",
            "dagster:ComponentTree.build_defs_at_path": "(self, path) or (self, loc)",
            "dagster:ComponentTree.load_component": "(self, defs_path, expected_type=None)",
            "dagster:ResolutionContext.scope": "attribute",
            "dagster:ResolutionContext.source_position_tree": "attribute",
            "dagster_shared.yaml_utils.source_position:SourcePositionTree.position": "attribute",
            "dagster_shared.yaml_utils.source_position:SourcePosition.start": "attribute",
        },
    ),
    PrivateApi(
        ("component.component",),
        "The YAML is validated where the lines of its values are known",
        DAGSTER,
        {
            "dagster:Component.get_model_cls": "()",
            "dagster:Component.load": "(attributes, context)",
            "dagster:Resolvable.resolve_from_model": "(context, model)",
        },
    ),
    PrivateApi(
        ("orchestration.partitions",),
        "Accounts become partitions when these are first asked for",
        DAGSTER,
        {
            "dagster:DynamicPartitionsDefinition.get_partition_keys": (
                "(self, current_time=None, dynamic_partitions_store=None)"
            ),
            "dagster:DynamicPartitionsDefinition.has_partition_key": (
                "(self, partition_key, current_time=None, dynamic_partitions_store=None)"
            ),
        },
    ),
    PrivateApi(
        ("orchestration.assets",),
        "Definitions load without a dlt pipeline, since making one writes its folder",
        DAGSTER_DLT,
        {
            "dagster_dlt:dlt_assets": (
                "(*, dlt_source, dlt_pipeline, name=None, group_name=None, "
                "dagster_dlt_translator=None, partitions_def=None, backfill_policy=None, "
                "hooks=None, op_tags=None, pool=None)"
            )
        },
    ),
    PrivateApi(
        ("_compat.urllib3",),
        "A response is read whole, in less time, and by the deadline of `timeouts.answer`; plain "
        "requests are sent and read without urllib3 and http.client",
        HTTP,
        {
            "urllib3:HTTPConnectionPool.ConnectionCls": "class",
            "urllib3:HTTPConnectionPool._get_conn": "(self, timeout=None)",
            "urllib3:HTTPConnectionPool._put_conn": "(self, conn)",
            "urllib3.connection:HTTPConnection.connect": "(self)",
            "urllib3.connection:HTTPConnection.getresponse": "(self)",
            "http.client:HTTPConnection.getresponse": "(self)",
            "http.client:HTTPConnection.response_class": "class",
            "http.client:HTTPResponse.begin": "(self)",
            "http.client:HTTPResponse.read": "(self, amt=None)",
            "http.client:HTTPResponse._read_status": "(self)",
            "http.client:LineTooLong": "class",
            "http.client:HTTPResponse.__init__": (
                "(self, sock, debuglevel=0, method=None, url=None)"
            ),
        },
    ),
    PrivateApi(
        ("http.adapter", "http.response"),
        "Requests go straight to urllib3 in half the time; requests chooses the proxy and TLS. A "
        "response that was read whole can be closed, whatever read it",
        HTTP,
        {
            "requests.adapters:HTTPAdapter.cert_verify": "(self, conn, url, verify, cert)",
            "requests.adapters:HTTPAdapter.get_connection_with_tls_context": (
                "(self, request, verify, proxies=None, cert=None)"
            ),
            "requests.adapters:HTTPAdapter.request_url": "(self, request, proxies)",
            "requests:Response.close": "(self)",
        },
        overrides=("_content_consumed",),
    ),
    PrivateApi(
        ("_compat.dlt",),
        "The resources of a configuration with their defaults, in order",
        DLT,
        {
            "dlt.sources.rest_api.config_setup:build_resource_dependency_graph": (
                "(resource_defaults, resource_list)"
            )
        },
    ),
    PrivateApi(
        ("_compat.dlt",),
        "The key of an account, and whether another account's is spelled the same",
        DLT,
        {
            "dlt:secrets.config_providers": "attribute",
            "dlt.common.configuration.providers.provider:ConfigProvider.get_value": (
                "(self, key, hint, pipeline_name, *sections)"
            ),
        },
    ),
    PrivateApi(
        ("_compat.dlt",),
        "dlt's paginators, configured or detected, write the requests for any page",
        DLT,
        {
            "dlt.sources.rest_api.config_setup:create_paginator": "(paginator_config)",
            "dlt.sources.helpers.rest_client.detector:PaginatorFactory.create_paginator": (
                "(self, response)"
            ),
            "dlt.sources.helpers.rest_client.paginators:BaseReferencePaginator._next_reference": (
                "attribute"
            ),
        },
    ),
    PrivateApi(
        ("_compat.dlt",),
        "An incremental sync starts before its position by dlt's `lag`",
        DLT,
        {
            "dlt.extract.incremental.lag:apply_lag": (
                "(lag, initial_value, last_value, last_value_func, cursor_type=None)"
            ),
            "dlt.extract.incremental.lag:_cursor_date_type": "(cursor_type, initial_value)",
        },
    ),
    PrivateApi(
        ("extract.requests",),
        "dlt resolves a configuration to the request that it prepares, and sends none",
        DLT,
        {
            "dlt.sources.helpers.rest_client.client:RESTClient._send_request": (
                "(self, request, **kwargs)"
            ),
            "dlt.sources.helpers.rest_client.exceptions:IgnoreResponseException": "class",
        },
    ),
)

MAX_KINDS = 14

# Beside every module of which a part begins with `_`.
PRIVATE_MODULES = (
    "dagster.components.core",
    "dagster.components.resolved",
    "dagster_shared",
    "dlt.common.utils",
    "dlt.destinations.impl",
    "dlt.destinations.job_client_impl",
    "dlt.destinations.sql_client",
    "dlt.destinations.sql_jobs",
    "dlt.extract.incremental",
    "dlt.sources.helpers.rest_client.detector",
    "dlt.sources.rest_api.config_setup",
    "http.client",
    "urllib3.connection",
)
LIBRARIES = {"dagster", "dagster_celery", "dagster_dlt", "dlt", "http", "requests", "urllib3"}
# dlt documents the first, for paginators of one's own; Python has the others.
PUBLISHED = {"_is_protocol", "_is_runtime_protocol", "_abc_impl"}
NAMED_TUPLE = {"_fields", "_replace", "_asdict", "_make"}


def describe(symbol: str) -> str:
    """Return what a `module:name` is: a signature without annotations, a class or an attribute."""
    module, _, path = symbol.partition(":")
    found: object = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    if inspect.isclass(found):
        return "class"
    if not inspect.isroutine(found):
        return "attribute"
    signature = inspect.signature(found)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def our_modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield the name and the syntax tree of each module outside `_compat`."""
    for file in sorted(ROOT.rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        if not name.startswith("_compat."):
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def is_private(module: str) -> bool:
    parts = module.split(".")
    if parts[0] in ("event_assets", "__future__"):
        return False
    return any(part.startswith("_") for part in parts) or any(
        module == name or module.startswith(f"{name}.") for name in PRIVATE_MODULES
    )


def private_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module:
            if is_private(node.module):
                yield node.module
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_ours = whole.startswith("event_assets._compat")
                if (
                    not is_private(node.module)
                    and not is_ours
                    and (alias.name.startswith("_") or is_private(whole))
                ):
                    yield whole


def is_ours(value: ast.expr) -> bool:
    """Return whether an attribute is of the object itself, or of its class."""
    return isinstance(value, ast.Name) and value.id in ("self", "cls", "twin", "copy")


def private_attributes(tree: ast.Module) -> Iterator[str]:
    own = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    } | {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not is_ours(node.value):
            name = node.attr
            is_hidden = name.startswith("_") and not name.startswith("__")
            if is_hidden and name not in NAMED_TUPLE | own and ast.unparse(node) != "os._exit":
                yield ast.unparse(node)


def our_classes() -> Iterator[tuple[str, type]]:
    """Yield each class outside `_compat` that can be imported here, with its module."""
    for found in pkgutil.walk_packages(event_assets.__path__, "event_assets."):
        name = found.name.removeprefix("event_assets.")
        if name.startswith(("_compat", "defs", "deployment.celery", "cli.celery")):
            continue  # the last two need packages that `make setup` does not install
        if name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == found.name:
                yield name, value


def private_names_used(one: type) -> set[str]:
    """Return the private names of a class's foreign bases that it overrides or reads."""
    foreign: set[str] = set()
    own: set[str] = set()
    for base in one.__mro__[:-1]:
        library = base.__module__.partition(".")[0]
        if library in LIBRARIES:
            foreign |= {*vars(base), *_names_in(vars(base).get("__init__"))}
        elif library == "event_assets" and "_compat" not in base.__module__:
            own |= set(vars(base)).union(*map(_names_in, vars(base).values()))
    return {name for name in own & foreign if re.match(r"_[a-z]", name)} - PUBLISHED


def _names_in(value: object) -> Sequence[str]:
    if isinstance(value, property):
        value = value.fget
    function = getattr(value, "__func__", value)
    return function.__code__.co_names if inspect.isfunction(function) else ()


@pytest.mark.parametrize(
    ("symbol", "pinned"),
    [(symbol, pinned) for row in ROWS for symbol, pinned in row.symbols.items()],
    ids=lambda value: value if ":" in value else "",
)
def test_what_is_not_published_is_as_it_was_tried(symbol: str, pinned: str) -> None:
    row = next(row for row in ROWS if symbol in row.symbols)
    advice = f"{', '.join(row.where)} needs it: {row.needed_for} (tried with {row.tried})"
    assert describe(symbol) in pinned.split(" or "), advice


def test_each_row_names_modules_that_exist() -> None:
    for row in ROWS:
        for name in row.where:
            assert (ROOT / Path(*name.split("."))).with_suffix(".py").exists(), name


def test_nothing_private_is_imported_outside_compat_but_what_is_listed() -> None:
    found = {(name, module) for name, tree in our_modules() for module in private_imports(tree)}
    listed = {(name, module) for row in ROWS for name in row.where for module in row.imports}
    assert found - listed == set()
    assert {module for _, module in found} == {module for row in ROWS for module in row.imports}


def test_no_private_attribute_of_another_object_is_read() -> None:
    assert [(name, code) for name, tree in our_modules() for code in private_attributes(tree)] == []


def test_nothing_private_of_a_base_class_is_overridden_but_what_is_listed() -> None:
    found = {(name, used) for name, one in our_classes() for used in private_names_used(one)}
    listed = {used for row in ROWS for used in row.overrides}
    assert {used for _, used in found} == listed, found


def test_the_kinds_are_few() -> None:
    assert len(ROWS) <= MAX_KINDS
