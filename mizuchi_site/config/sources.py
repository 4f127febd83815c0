"""Every effective value of a configuration, with where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from .errors import Location, key_path
from .expand import Expanded

FILE = "file"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One effective value: a scalar, a list of scalars, or an empty list or mapping."""

    location: Location
    value: Any

    @property
    def path(self) -> str:
        return key_path(self.location)


def leaves(value: Any, location: Location = ()) -> Iterator[Leaf]:
    """The leaves of a model, in the order of its keys."""
    children = list(_children(value))
    if not children:
        yield Leaf(location, value)
    for key, child in children:
        yield from leaves(child, (*location, key))


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, BaseModel):
        yield from ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel | SecretStr) for item in value):
        yield from enumerate(value)


def source_of(location: Location, tree: Any) -> str:
    """``file``, ``default`` or ``environment (VAR, ...)``; ``tree`` is the file after expansion."""
    for part in location:
        try:
            tree = tree[part]
        except (KeyError, TypeError):
            return DEFAULT
    names = list(dict.fromkeys(_variables(tree)))
    return f"environment ({', '.join(names)})" if names else FILE


def _variables(tree: Any) -> Iterator[str]:
    if isinstance(tree, Expanded):
        yield from tree.variables
    elif isinstance(tree, list):
        for item in tree:
            yield from _variables(item)
