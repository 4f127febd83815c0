"""What has a name has its entry: spans, attributes, events, options, variables, loggers, the Python API.

Names are read out of the code, so one that is added without an entry is missed.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from tests.docs.pages import DOCS, ROOT

ROOMS = ("mizuchi_site", "uploads", "authz", "tracing_app")
SOURCES = [
    file
    for room in ROOMS
    for file in sorted((ROOT / room).rglob("*.py"))
    if not {"migrations", "bench", "node_modules"} & set(file.parts)
]
NAMESPACES = "aws|code|db|error|exception|http|mizuchi|network|process|rpc|server|service|url|user|user_agent"
_ATTRIBUTE = re.compile(rf"(?:{NAMESPACES})(?:\.[a-z0-9_]+)+")
_EVENT = re.compile(r"(?:body|object)\.[a-z_]+")
_STORAGE_CALL = re.compile(r"(?:S3|file|storage)\.\w+")
_VARIABLE = re.compile(r"(?:MIZUCHI|OTEL)_[A-Z][A-Z_]+")

# Literals that look like attributes and are none.
NO_ATTRIBUTES = {
    *("mizuchi.raw_path", "mizuchi.headers", "mizuchi.path"),  # keys of the WSGI environ, see server.md
    *("user.username", "error.log", "user.mizuchi"),  # a field of a model, a file, an extended attribute
    "mizuchi.tracing",  # loggers below it
}
# Stages whose names are put together: the pages say of what.
COMPOSED = {"uploads/backends/traced.py", "authz/policy/guarded.py", "authz/stages.py", "tracing_app/api.py"}


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def literals(pattern: re.Pattern[str], files: list[Path] = SOURCES) -> set[str]:
    return {
        node.value
        for file in files
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.fullmatch(node.value)
    }


def calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    for file in SOURCES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called in names and node.args:
                    yield file, node


@cache
def entries(*pages: str) -> frozenset[str]:
    """What stands as code in a row of a table: in any column, since some rows have several names."""
    rows = "\n".join(
        line
        for page in pages
        for line in (DOCS / page).read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    )
    return frozenset(re.findall(r"`([^`]+)`", rows))


def loggers() -> set[str]:
    found = set()
    for file, call in calls("getLogger"):
        name = call.args[0]
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        found.add(name.value if isinstance(name, ast.Constant) else module)
    return found


@cache
def metric_literals() -> frozenset[str]:
    """Names that metrics and their labels have in OTLP: of metrics.md, which has a test of its own."""
    found: set[str] = set()
    for _, call in calls("Label", "Counter", "Gauge", "Histogram"):
        words = [*call.args, *(keyword.value for keyword in call.keywords)]
        found |= {str(word.value) for word in words if isinstance(word, ast.Constant)}
    return frozenset(found)


def expect_entries(names: set[str], page: str) -> None:
    """``names`` are what was missed."""
    assert not names, f"docs/{page} has no entry in a table for: {', '.join(sorted(names))}"


def test_every_attribute_has_an_entry() -> None:
    known = entries("spans.md", "logging.md") | loggers() | NO_ATTRIBUTES | metric_literals()
    expect_entries(literals(_ATTRIBUTE) - known, "spans.md")


def test_every_span_has_an_entry() -> None:
    made = {
        str(call.args[0].value)
        for _, call in calls("stage", "auth_stage", "deferred", "start_span", "start_as_current_span")
        if isinstance(call.args[0], ast.Constant)
    }
    made |= literals(_STORAGE_CALL, [ROOT / "uploads/backends/traced.py"])

    assert len(made) > 25
    expect_entries(made - entries("spans.md"), "spans.md")


def test_names_of_stages_are_literals() -> None:
    """Or nobody could look them up here."""
    composed = {
        file.relative_to(ROOT).as_posix()
        for file, call in calls("stage", "auth_stage", "deferred")
        if not isinstance(call.args[0], ast.Constant)
    }
    assert composed <= COMPOSED


def test_every_event_has_an_entry() -> None:
    files = [file for file in SOURCES if file.parent.name == "uploads" or "body" in file.parts]
    assert len(literals(_EVENT, files)) >= 5
    expect_entries(literals(_EVENT, files) - entries("spans.md"), "spans.md")


def commands() -> list[tuple[str, str]]:
    found = ((room, file.stem) for room in ROOMS for file in (ROOT / room).glob("management/commands/*.py"))
    return sorted((room, name) for room, name in found if name != "__init__")


@pytest.mark.parametrize(("room", "name"), commands(), ids=lambda value: value)
def test_every_option_of_a_command_has_an_entry(room: str, name: str) -> None:
    """And no other: the page's section has the options that the command takes."""
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, f"docs/commands.md has no section {name}"

    taken = options_of(load_command_class(room, name)) - options_of(BaseCommand())
    assert set(re.findall(r"^\| `(--[\w-]+)` \|", section[1], re.MULTILINE)) == taken


def options_of(command: Any) -> set[str]:
    return set(_options(command.create_parser("manage.py", "name")))


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for part in action.choices.values():
                yield from _options(part)


def test_every_variable_has_an_entry() -> None:
    read = literals(_VARIABLE) | {
        str(call.args[0].value)
        for _, call in calls("get", "getenv")
        if isinstance(call.args[0], ast.Constant) and _VARIABLE.fullmatch(str(call.args[0].value))
    }
    ours = {name for name in read if not name.endswith("_")}  # the beginning of a name is none

    assert {"MIZUCHI_CONFIG", "OTEL_SERVICE_NAME"} <= ours
    expect_entries(ours - entries("configuration.md"), "configuration.md")


def test_every_logger_has_an_entry_or_one_above_it() -> None:
    known = entries("operations.md", "logging.md")
    above = {name: [".".join(name.split(".")[:depth]) for depth in range(2, 9)] for name in loggers()}

    expect_entries({name for name, names in above.items() if known.isdisjoint(names)}, "operations.md")


@pytest.mark.parametrize(
    "module", ["tracing_app.api", "uploads.signals", "uploads.backends.base"], ids=lambda name: name
)
def test_every_public_name_has_an_entry(module: str) -> None:
    known = {name.rpartition(".")[2] for name in entries("python.md")}
    public = {name for name in defined_in(module) if not name.startswith("_")} - {"logger"}

    assert public
    expect_entries(public - known, "python.md")


def defined_in(module: str) -> Iterator[str]:
    """What a module defines, or imports under its own name for others; methods of protocols, too."""
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    for node in tree(file).body:
        match node:
            case ast.ClassDef(name=name):
                yield name
                if getattr(getattr(import_module(module), name), "_is_protocol", False):
                    yield from (each.name for each in node.body if isinstance(each, ast.FunctionDef))
            case ast.FunctionDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case ast.ImportFrom(names=names):
                yield from (each.name for each in names if each.asname == each.name)
