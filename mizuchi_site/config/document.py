"""A configuration file as plain data: the JSON-like part of YAML, read strictly.

Refused: duplicate keys, keys that are not text, tags, files that are not a mapping, and documents whose
aliases unfold into more than ``MAX_NODES`` values or that nest deeper than ``MAX_DEPTH``. Scalars follow
the core schema of YAML 1.2, without octal and hexadecimal numbers: ``no`` is text, ``010`` is text.
Messages never quote the file, since a value in it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from .errors import ConfigError, Fault, Location

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000

_TAG = "tag:yaml.org,2002:"
_SCALARS = (
    (f"{_TAG}bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (f"{_TAG}null", r"~|null|Null|NULL|", "~nN\0"),
    (f"{_TAG}int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (f"{_TAG}float", r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+", "-+0123456789"),
)
_ALLOWED_TAGS = {f"{_TAG}{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null")}


class _TooDeep(yaml.YAMLError):
    """Nesting beyond ``MAX_DEPTH``."""


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars above and a limit on depth."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _TooDeep
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _tag, _pattern, _first in _SCALARS:
    _StrictLoader.add_implicit_resolver(
        _tag, re.compile(rf"(?:{_pattern})\Z"), ["" if char == "\0" else char for char in _first]
    )


def read_document(file: Path) -> dict[str, Any]:
    """The mapping in ``file``; an empty file is an empty mapping. Raises ConfigError."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(file, [Fault((), f"cannot be read: {error.strerror}")]) from None
    data, faults = parse_document(raw)
    if faults:
        raise ConfigError(file, faults)
    return data


def parse_document(raw: bytes) -> tuple[dict[str, Any], list[Fault]]:
    """The mapping in ``raw``, and what is wrong with it."""
    if len(raw) > MAX_BYTES:
        return {}, [Fault((), f"is larger than {MAX_BYTES} bytes")]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return {}, [Fault((), "is not UTF-8 text")]
    try:
        return _construct(text)
    except yaml.YAMLError as error:
        return {}, [Fault((), _describe(error))]


def _construct(text: str) -> tuple[dict[str, Any], list[Fault]]:
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}, []
        if not isinstance(node, yaml.MappingNode):
            return {}, [Fault((), "must be a mapping of sections (server:, buckets:, ...)")]
        if _unfolded_size(node, {}) > MAX_NODES:
            return {}, [Fault((), f"unfolds into more than {MAX_NODES} values; use fewer aliases")]
        faults = list(_node_faults(node, ()))
        return ({}, faults) if faults else (loader.construct_document(node), [])
    finally:
        loader.dispose()


def _unfolded_size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for once aliases are followed; one inside itself has no end."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MAX_NODES + 1
    size = 1 + sum(_unfolded_size(child, known) for child, _ in _children(node, ()))
    known[id(node)] = min(size, MAX_NODES + 1)
    return size


def _children(node: yaml.Node, location: Location) -> Iterator[tuple[yaml.Node, Location]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield value, (*location, str(key.value) if isinstance(key, yaml.ScalarNode) else "?")
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield value, (*location, index)


def _node_faults(node: yaml.Node, location: Location) -> Iterator[Fault]:
    if node.tag not in _ALLOWED_TAGS:
        yield Fault(location, "YAML tags are not used here; put the value in quotes if it begins with !")
    if isinstance(node, yaml.MappingNode):
        yield from _key_faults(node, location)
    for child, below in _children(node, location):
        yield from _node_faults(child, below)


def _key_faults(node: yaml.MappingNode, location: Location) -> Iterator[Fault]:
    seen: set[str] = set()
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
            yield Fault(location, f"a key on line {line} is not text; put it in quotes")
        elif key.value in seen:
            yield Fault((*location, key.value), f"is given twice (again on line {line}); keep one")
        else:
            seen.add(key.value)


def _describe(error: yaml.YAMLError) -> str:
    if isinstance(error, _TooDeep):
        return f"is nested deeper than {MAX_DEPTH} levels"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return "is not YAML: it holds a character that YAML does not allow"
    mark = error.problem_mark
    # What PyYAML puts in quotes can be a piece of a value.
    problem = re.split("['\"]", error.problem or "")[0].strip().removesuffix(", but found")
    return (
        f"is not YAML: line {mark.line + 1}, column {mark.column + 1}: {problem}; "
        "put values with special characters in quotes"
    )
