"""What differs between two sets of overrides, and how two people's changes go together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from .overrides import LIVE_KEYS

Overrides = Mapping[str, Any]


class _Unset(Enum):
    FROM_FILE = "as in the file"


FROM_FILE: Final = _Unset.FROM_FILE
"""In the place of a value: the key is not overridden. None is a value, such as that nothing is slow."""


@dataclass(frozen=True, slots=True)
class Change:
    """A key with what it was before and after; each a value or ``FROM_FILE``."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides' changes. Of the ``conflicts``, keys that both changed, it has one's own."""

    overrides: dict[str, Any]
    conflicts: tuple[str, ...]


def difference(before: Overrides, after: Overrides) -> tuple[Change, ...]:
    """The keys that differ, in the order of the live keys."""
    changes = (
        Change(key, before.get(key, FROM_FILE), after.get(key, FROM_FILE)) for key in _keys(before, after)
    )
    return tuple(change for change in changes if change.before != change.after)


def merge(base: Overrides, mine: Overrides, theirs: Overrides) -> Merged:
    """What was changed in ``mine`` and in ``theirs``, both made from ``base``."""
    merged, conflicts = dict(theirs), []
    for change in difference(base, mine):
        others = theirs.get(change.key, FROM_FILE)
        if others not in (change.before, change.after):
            conflicts.append(change.key)
        if change.after is FROM_FILE:
            merged.pop(change.key, None)
        else:
            merged[change.key] = change.after
    return Merged(merged, tuple(conflicts))


def _keys(*overrides: Overrides) -> Iterable[str]:
    given = {key for each in overrides for key in each}
    return [*(key for key in LIVE_KEYS if key in given), *sorted(given - set(LIVE_KEYS))]
