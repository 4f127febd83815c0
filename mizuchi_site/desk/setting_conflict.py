"""Two people who edit the live settings at once: nothing of either is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mizuchi_site.setting_text import ShownChange, shown_change
from tracing_app.live.difference import merge
from tracing_app.live.effective import Effective
from tracing_app.live.revisions import Entry, history
from tracing_app.models import TracingRevision

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class MeanwhileEntry:
    """What somebody else saved."""

    revision: TracingRevision
    changes: tuple[ShownChange, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """``overrides`` are both sides' changes together; where both changed a key (``both``), one's own."""

    meanwhile: tuple[MeanwhileEntry, ...]
    overrides: dict[str, Any]
    both: tuple[str, ...]


def conflict_of(based_on: int, mine: Mapping[str, Any], now: Effective) -> Conflict | None:
    """None while the revision that ``mine`` was made from is still in force."""
    if based_on == now.number:
        return None
    base = TracingRevision.objects.filter(pk=based_on).first()
    merged = merge(base.overrides if base else {}, mine, now.overrides)
    newer = [entry for entry in history(limit=_SHOWN) if entry.revision.pk > based_on]
    return Conflict(tuple(map(_meanwhile, newer)), merged.overrides, merged.conflicts)


def _meanwhile(entry: Entry) -> MeanwhileEntry:
    return MeanwhileEntry(entry.revision, tuple(map(shown_change, entry.changes)))
