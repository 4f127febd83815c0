"""What is in force of the live settings, and since whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tracing_app.apps import tracing_config
from tracing_app.models import TracingRevision

from .overrides import LiveSettings, OverrideFault, OverridesInvalid, apply_overrides, as_overrides
from .revisions import newest_revision, origins


@dataclass(frozen=True, slots=True)
class EffectiveKey:
    """A live key; ``changed`` is the revision that gave it its value, None: it is as in the file."""

    key: str
    value: Any
    file_value: Any
    changed: TracingRevision | None


@dataclass(frozen=True, slots=True)
class Effective:
    """``revision`` is the newest. With ``faults`` it cannot be right, and the file's settings are told. While
    the file says that tracing is off, or has no place for traces, nothing is recorded whatever is set."""

    settings: LiveSettings
    keys: tuple[EffectiveKey, ...]
    revision: TracingRevision | None
    faults: tuple[OverrideFault, ...] = ()

    @property
    def number(self) -> int:
        """Of the revision; 0: there is none."""
        return self.revision.pk if self.revision else 0

    @property
    def in_file(self) -> dict[str, Any]:
        """What would be in force without overrides."""
        return {each.key: each.file_value for each in self.keys}

    @property
    def overrides(self) -> dict[str, Any]:
        """Those in force."""
        return dict(self.revision.overrides) if self.revision and not self.faults else {}


def effective() -> Effective:
    """What the newest revision and the file make together."""
    config = tracing_config()
    revision = newest_revision()
    faults: tuple[OverrideFault, ...] = ()
    of_file = settings = LiveSettings(config.is_enabled, config.sampling)
    changed: dict[str, TracingRevision] = {}
    if revision is not None:
        try:
            settings, changed = apply_overrides(config.sampling, revision.overrides), origins()
        except OverridesInvalid as error:
            faults = error.faults
    settings = replace(settings, enabled=settings.enabled and config.is_enabled)
    values, file_values = as_overrides(settings), as_overrides(of_file)
    keys = tuple(EffectiveKey(key, values[key], file_values[key], changed.get(key)) for key in values)
    return Effective(settings, keys, revision, faults)
