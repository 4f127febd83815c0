"""Every key of ``tracing`` as it is in force, with where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mizuchi_site.config.defaults import effective_values
from mizuchi_site.config.loader import LoadedConfig
from tracing_app.live.effective import Effective, EffectiveKey
from tracing_app.live.overrides import LIVE_KEYS
from tracing_app.models import TracingRevision

LIVE: Final = "live"
_SECTION: Final = "tracing."


@dataclass(frozen=True, slots=True)
class Setting:
    """``path`` is that of the file. ``source``: ``default``, ``file``, ``environment (...)`` or ``live``;
    ``changed`` is the revision that made it live, ``file_value`` and ``file_source`` what is without it."""

    path: str
    value: Any
    source: str
    file_value: Any
    file_source: str
    is_live: bool
    changed: TracingRevision | None = None

    @property
    def key(self) -> str:
        """As in overrides."""
        return self.path.removeprefix(_SECTION)


def settings_in_force(loaded: LoadedConfig, now: Effective) -> list[Setting]:
    """The live keys first, then those that only the file can change. Secrets are masked."""
    return [*(_live(loaded, each) for each in now.keys), *_of_file(loaded)]


def _live(loaded: LoadedConfig, each: EffectiveKey) -> Setting:
    path = _SECTION + each.key
    file_source = _source(loaded, path)
    return Setting(
        path=path,
        value=each.value,
        source=LIVE if each.changed else file_source,
        file_value=each.file_value,
        file_source=file_source,
        is_live=True,
        changed=each.changed,
    )


def _source(loaded: LoadedConfig, path: str) -> str:
    """That of a key; of a list, those of its items."""
    found = [source for leaf, source in loaded.sources.items() if _is_at(leaf, path)]
    told = [source for source in dict.fromkeys(found) if source != "default"]
    return ", ".join(told) or "default"


def _of_file(loaded: LoadedConfig) -> Iterator[Setting]:
    for each in effective_values(loaded):
        is_live = any(_is_at(each.path, _SECTION + key) for key in LIVE_KEYS)
        if each.path.startswith(_SECTION) and not is_live:
            yield Setting(each.path, each.value, each.source, each.value, each.source, is_live=False)


def _is_at(leaf: str, path: str) -> bool:
    """The leaf is the key, or in an item of its list."""
    return leaf == path or leaf.startswith(f"{path}[")
