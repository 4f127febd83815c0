"""What is in force of the live settings, and since whom."""

from __future__ import annotations

from dataclasses import dataclass
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
    """``revision`` is the newest. With ``faults`` it cannot be right, and the file's settings are told."""

    settings: LiveSettings
    keys: tuple[EffectiveKey, ...]
    revision: TracingRevision | None
    faults: tuple[OverrideFault, ...] = ()

    @property
    def number(self) -> int:
        """Of the revision; 0: there is none."""
        return self.revision.pk if self.revision else 0

    @property
    def overrides(self) -> dict[str, Any]:
        return {each.key: each.value for each in self.keys if each.changed}


def effective() -> Effective:
    """What the newest revision and the file make together."""
    base = tracing_config().sampling
    revision = newest_revision()
    faults: tuple[OverrideFault, ...] = ()
    of_file = settings = LiveSettings(True, base)
    changed: dict[str, TracingRevision] = {}
    if revision is not None:
        try:
            settings, changed = apply_overrides(base, revision.overrides), origins()
        except OverridesInvalid as error:
            faults = error.faults
    values, file_values = as_overrides(settings), as_overrides(of_file)
    keys = tuple(EffectiveKey(key, values[key], file_values[key], changed.get(key)) for key in values)
    return Effective(settings, keys, revision, faults)
