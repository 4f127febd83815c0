"""From a file and an environment to a frozen configuration, or to every reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .document import read_document
from .errors import ConfigError, Fault
from .expand import expand_tree
from .explain import faults_of
from .log_environment import with_log_environment
from .model import DEFAULT_SECTIONS, Config
from .otel_environment import with_otel_environment
from .places import Places
from .rules import rule_faults
from .sources import leaves, source_of


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A valid configuration. ``sources`` maps the path of every leaf to where its value came from."""

    config: Config
    sources: Mapping[str, str]
    places: Places
    file: Path | None


def load_config(path: Path | None, environ: Mapping[str, str]) -> LoadedConfig:
    """Read the file, or take the built-in defaults for None. Raises ConfigError."""
    places = Places.of(environ)
    tree, missing = expand_tree(read_document(path) if path else {}, environ)
    tree = with_log_environment(with_otel_environment(tree, environ), environ)
    config, faults = _validate(tree, places, missing)
    if config is None or faults:
        raise ConfigError(path, faults)
    sources = {leaf.path: source_of(leaf.location, tree) for leaf in leaves(config)}
    return LoadedConfig(config, sources, places, path)


def _validate(
    tree: dict[str, Any], places: Places, missing: list[Fault]
) -> tuple[Config | None, list[Fault]]:
    config, invalid = _build(tree, places)
    faults = missing + [fault for fault in invalid if not _follows(fault, missing)]
    broken = frozenset(str(fault.location[0]) for fault in faults)
    if broken:
        config, _ = _build({key: value for key, value in tree.items() if key not in broken}, places)
    if config is not None:
        faults += rule_faults(config, broken)
    return config, faults


def _build(tree: dict[str, Any], places: Places) -> tuple[Config | None, list[Fault]]:
    try:
        return Config.model_validate(DEFAULT_SECTIONS | tree, context=places), []
    except ValidationError as error:
        return None, faults_of(error, Config, tree)


def _follows(fault: Fault, missing: list[Fault]) -> bool:
    """Whether a fault is only the consequence of a variable that is missing there or below."""
    return any(each.location[: len(fault.location)] == fault.location for each in missing)
