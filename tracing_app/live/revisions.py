"""The history of live settings: who changed what, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db import IntegrityError, transaction

from tracing_app.apps import tracing_config
from tracing_app.models import TracingRevision

from .difference import Change, difference
from .overrides import apply_overrides


class RevisionConflict(Exception):
    """The settings are not those any more that a change was made from; ``newest`` is in force (None: the
    file's)."""

    def __init__(self, newest: TracingRevision | None) -> None:
        super().__init__(f"{newest or 'the file'} is in force by now")
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision with what it changed."""

    revision: TracingRevision
    changes: tuple[Change, ...]


def newest_revision() -> TracingRevision | None:
    """What is in force; None: the file alone."""
    return TracingRevision.objects.first()


def current_overrides() -> dict[str, Any]:
    """What is overridden now."""
    return _overrides(newest_revision())


def save_overrides(
    overrides: Mapping[str, Any], *, by: str, note: str = "", based_on: int | None = None
) -> TracingRevision:
    """Put these in force, in the stead of what was overridden.

    ``based_on`` is the number of the revision that they were made from, 0 for the file alone; None: whichever
    is in force. Revisions are numbered without gaps, so of two that are saved at once one is refused.

    Raises:
        OverridesInvalid: they cannot be right.
        RevisionConflict: another revision is in force by now.
    """
    apply_overrides(tracing_config().sampling, overrides)
    newest = newest_revision()
    number = newest.pk if newest else 0
    if based_on not in (None, number):
        raise RevisionConflict(newest)
    try:
        with transaction.atomic():
            return TracingRevision.objects.create(
                pk=number + 1, overrides=dict(overrides), changed_by=by, note=note
            )
    except IntegrityError:
        raise RevisionConflict(newest_revision()) from None


def restore(revision: TracingRevision, *, by: str, based_on: int | None = None) -> TracingRevision:
    """Put an earlier state in force again, as a new revision. Raises as ``save_overrides``."""
    note = f"back to revision {revision.pk}"
    return save_overrides(revision.overrides, by=by, note=note, based_on=based_on)


def undo(*, by: str, based_on: int | None = None) -> TracingRevision | None:
    """Take back the last change; None when there is none. Raises as ``save_overrides``."""
    newest, before = [*TracingRevision.objects.all()[:2], None, None][:2]
    if newest is None:
        return None
    if before is None:
        return save_overrides({}, by=by, note=f"without revision {newest.pk}", based_on=based_on)
    return restore(before, by=by, based_on=based_on)


def history(*, limit: int, before: int | None = None) -> list[Entry]:
    """So many revisions, the newest first; with ``before`` only those with a smaller number."""
    found = TracingRevision.objects.all()
    if before is not None:
        found = found.filter(pk__lt=before)
    revisions = [*found[: limit + 1], None]
    entries = [
        Entry(each, difference(_overrides(older), each.overrides))
        for each, older in pairwise(revisions)
        if each is not None
    ]
    return entries[:limit]


def origins() -> dict[str, TracingRevision]:
    """For each key that is overridden the revision that gave it its value."""
    found: dict[str, TracingRevision] = {}
    looked_for: dict[str, Any] = {}
    later: TracingRevision | None = None
    for revision in TracingRevision.objects.iterator():
        if later is None:
            looked_for = dict(revision.overrides)
        for change in difference(revision.overrides, looked_for):
            if later is not None and change.key in looked_for:
                found[change.key] = later
                del looked_for[change.key]
        later = revision
        if not looked_for:
            return found
    return found | {key: later for key in looked_for if later is not None}


def _overrides(revision: TracingRevision | None) -> dict[str, Any]:
    return {} if revision is None else dict(revision.overrides)
