"""What each value would be if the file said nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from .errors import Location
from .loader import LoadedConfig, load_config
from .render import shown
from .sources import Leaf, leaves

_NONE: Final = object()


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """A value as it may be seen, secrets masked. ``has_default``: there is one, and it is ``default``."""

    path: str
    value: Any
    source: str
    default: Any
    has_default: bool
    differs: bool

    @property
    def section(self) -> str:
        """The first part of the path."""
        return self.path.partition(".")[0].partition("[")[0]


def effective_values(loaded: LoadedConfig) -> Iterator[EffectiveValue]:
    """Every leaf of a configuration, in the order of its keys."""
    without_a_file = load_config(None, {"MIZUCHI_VAR": str(loaded.places.var)})
    built_in = {leaf.path: leaf for leaf in leaves(without_a_file.config)}
    for leaf in leaves(loaded.config):
        default = _default(leaf, loaded, built_in)
        has_default = default is not _NONE
        yield EffectiveValue(
            path=leaf.path,
            value=shown(leaf),
            source=loaded.sources[leaf.path],
            default=shown(Leaf(leaf.location, default)) if has_default else None,
            has_default=has_default,
            differs=not has_default or leaf.value != default,
        )


def _default(leaf: Leaf, loaded: LoadedConfig, built_in: Mapping[str, Leaf]) -> Any:
    """That of the built-in configuration, else that of the section the value is in, else ``_NONE``."""
    if leaf.path in built_in:
        return built_in[leaf.path].value
    section = _section_of(leaf.location, loaded.config)
    name = str(leaf.location[-1])
    if section is None or name not in section.model_fields:
        return _NONE
    default = section.model_fields[name].get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return _NONE
    if isinstance(leaf.value, Path) and isinstance(default, str):
        return loaded.places.resolve(Path(default))
    return default


def _section_of(location: Location, config: BaseModel) -> type[BaseModel] | None:
    """The section whose key a location is; None: it is an item of a list or mapping."""
    found: Any = config
    for part in location[:-1]:
        found = getattr(found, str(part)) if isinstance(found, BaseModel) else found[part]
    return type(found) if isinstance(found, BaseModel) else None
