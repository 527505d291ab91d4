"""The commands in the documentation: parsed as the programs themselves parse them, or run."""

import argparse
import ast
import importlib
import importlib.metadata
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import click

from event_assets.cli.main import main as event_assets
from event_assets_tests.support.project import BIN, ROOT

TARGET = re.compile(r"^([a-z][a-z-]*):.*## ", flags=re.MULTILINE)
HEREDOC = re.compile(r" <<'EOF'\n(.*?)\nEOF$", flags=re.DOTALL | re.MULTILINE)
CLICK = ("dagster", "dagster-daemon", "dagster-webserver", "dg", "event-assets")
# Modules that run the program `event-assets`, and the command that they put before the arguments.
ALIASES = {
    "event_assets": (),
    "event_assets.probe": ("probe",),
    "event_assets.sandbox": ("sandbox",),
}
# Programs that the project does not bring.
OTHERS = {"apt-get", "cd", "chmod", "cp", "docker", "echo", "export", "git", "helm", "kubectl"}
OTHERS |= {"mkdir", "openssl", "systemctl"}
STARTERS = ("make", "python", *CLICK)  # of commands within a sentence


class ArgumentsParsedError(Exception):
    """A command line was parsed."""


def make_targets() -> set[str]:
    """Return the documented targets of the Makefile."""
    return set(TARGET.findall((ROOT / "Makefile").read_text()))


def console_scripts() -> set[str]:
    """Return the programs that the package installs."""
    points = importlib.metadata.distribution("event_assets").entry_points
    return {point.name for point in points.select(group="console_scripts")}


def runnable_modules() -> set[str]:
    """Return the modules that `python -m` runs."""
    guarded = (
        path
        for folder in ("event_assets", "bench")
        for path in (ROOT / folder).rglob("*.py")
        if '__name__ == "__main__"' in path.read_text()
    )
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in guarded)
    return {name.removesuffix(".__main__") for name in names}


def commands(script: str) -> Iterator[list[str]]:
    """Yield the commands of a shell script, each as its words."""
    for line in HEREDOC.sub("", script).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for token in [*lexer, ";"]:
            if not set(token) <= set(";|&"):
                words.append(token)
            elif words:
                yield words
                words = []


def is_command(span: str) -> bool:
    """Return whether a code span is a command line."""
    first, _, rest = span.partition(" ")
    return span.startswith(".venv/bin/") or bool(rest and first in STARTERS)


def problems_of(script: str) -> list[str]:
    """Return what cannot work in a shell script."""
    found = [problem for body in HEREDOC.findall(script) if (problem := _python_problem(body))]
    for words in commands(script):
        if problem := _problem(words):
            found.append(f"{' '.join(words)}: {problem}")
    return found


def _problem(words: Sequence[str]) -> str | None:
    words = list(words[: words.index(">>")] if ">>" in words else words)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words:
        return None
    program, arguments = words[0].removeprefix(".venv/bin/"), words[1:]
    if program == "make":
        unknown = [word for word in arguments if word not in make_targets() and "=" not in word]
        return f"no target {unknown}" if unknown else None
    if program == "python":
        return _module_problem(arguments)
    if program in CLICK:
        is_queued = arguments[:1] == ["job"] and arguments[1:2] in (["backfill"], ["launch"])
        if is_queued and "-m" in arguments:  # its name is the module's, not that of workspace.yaml
            return "the daemon has no code location of that name"
        return click_problem(program, arguments)
    if program == "pytest":
        return _missing(word for word in arguments if not word.startswith("-"))
    if program == "cp":
        return _missing(word for word in arguments[:-1] if not word.startswith("-"))
    known = program in OTHERS or (BIN / program).exists()
    return None if known else "no such program"


def _missing(paths: Iterator[str]) -> str | None:
    missing = [path for path in paths if not list(ROOT.glob(path))]
    return f"no such file: {missing}" if missing else None


def _python_problem(source: str) -> str | None:
    """Return what a Python script imports or uses that does not exist."""
    tree = ast.parse(source)
    modules: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
                modules[alias.name] = getattr(module, alias.name)
    uses = [
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    unknown = [
        f"{name}.{attribute}"
        for name, attribute in uses
        if name in modules and not hasattr(modules[name], attribute)
    ]
    return f"no such names: {unknown}" if unknown else None


def _module_problem(arguments: Sequence[str]) -> str | None:
    if not arguments or arguments[0] == "-":
        return None
    flag, *rest = arguments
    if flag != "-m" or not rest:
        return "only `python -m MODULE` is documented"
    name, *rest = rest
    if name == "pytest":
        return _missing(word for word in rest if not word.startswith("-"))
    if name not in runnable_modules():
        return "no module to run"
    if name in ALIASES:
        return click_problem("event-assets", [*ALIASES[name], *rest])
    return _argparse_problem(name, rest) if rest and _has_parser(name) else None


def _has_parser(module: str) -> bool:
    """Return whether a module, or one that it imports, parses its arguments by argparse."""
    package = ROOT.joinpath(*module.split("."))
    file = package / "__main__.py" if package.is_dir() else package.with_suffix(".py")
    text = file.read_text()
    imported = re.findall(r"^ *from ((?:event_assets|bench)[\w.]*) import", text, re.MULTILINE)
    files = [ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in imported]
    texts = [text, *(path.read_text() for path in files if path.exists())]
    return any("ArgumentParser(" in text for text in texts)


def _argparse_problem(module: str, arguments: Sequence[str]) -> str | None:
    parse = argparse.ArgumentParser.parse_args

    def parse_only(parser: argparse.ArgumentParser, *_: Any) -> None:
        parse(parser, list(arguments))
        raise ArgumentsParsedError

    with (
        mock.patch.object(argparse.ArgumentParser, "parse_args", parse_only),
        mock.patch.object(sys, "argv", [module, *arguments]),
    ):
        try:
            runpy.run_module(module, run_name="__main__")
        except ArgumentsParsedError:
            return None
        except SystemExit as ended:
            return None if ended.code == 0 else "its parser refuses these arguments"
    return "it ended without parsing its arguments"


def click_problem(program: str, arguments: Sequence[str]) -> str | None:
    """Return what a program that is made with click does not know of its arguments."""
    command: Any = event_assets
    if program != "event-assets":
        (point,) = importlib.metadata.entry_points(group="console_scripts", name=program)
        command = importlib.import_module(point.module).cli
    context = click.Context(command, info_name=program)
    words = list(arguments)
    if words[:2] == ["scaffold", "defs"]:  # its subcommands are the components of the project
        module, _, name = words[2].rpartition(".")
        found = hasattr(importlib.import_module(module), name)
        return None if found else f"no component {words[2]}"
    while True:
        try:
            _, words, _ = command.make_parser(context).parse_args(args=words)
        except click.UsageError as error:
            return error.message
        if not isinstance(command, click.Group) or not words:
            return None
        try:
            _, command, words = command.resolve_command(context, words)
        except click.UsageError:
            return f"no subcommand {words[0]}"
        context = click.Context(command, info_name=command.name, parent=context)


def start_script(script: str, folder: Path) -> "subprocess.Popen[str]":
    """Start a shell script in a folder that holds the project."""
    return subprocess.Popen(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_script(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell script in a folder that holds the project."""
    with start_script(script, folder) as process:
        try:
            stdout, stderr = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def existing(path: str) -> bool:
    """Return whether a path that a page names exists: from the root, or inside the package."""
    return any((folder / path).exists() for folder in (ROOT, ROOT / "event_assets"))
