"""The history of live settings: who changed what, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracing_app.apps import tracing_config
from tracing_app.models import TracingRevision

from .overrides import apply_overrides


def current_overrides() -> dict[str, Any]:
    """What is overridden now."""
    newest = TracingRevision.objects.first()
    return {} if newest is None else dict(newest.overrides)


def save_overrides(overrides: Mapping[str, Any], *, by: str, note: str = "") -> TracingRevision:
    """Put these in force, in the stead of what was overridden. Raises OverridesInvalid."""
    apply_overrides(tracing_config().sampling, overrides)
    return TracingRevision.objects.create(overrides=dict(overrides), changed_by=by, note=note)


def restore(revision: TracingRevision, *, by: str) -> TracingRevision:
    """Put an earlier state in force again, as a new revision. Raises OverridesInvalid."""
    return save_overrides(revision.overrides, by=by, note=f"back to revision {revision.pk}")


def undo(*, by: str) -> TracingRevision | None:
    """Take back the last change; None when there is none."""
    newest, before = [*TracingRevision.objects.all()[:2], None, None][:2]
    if newest is None:
        return None
    if before is None:
        return save_overrides({}, by=by, note=f"without revision {newest.pk}")
    return restore(before, by=by)


def changes(revision: TracingRevision) -> dict[str, tuple[Any, Any]]:
    """The keys that a revision changed, each with its value before and after; None: as in the file."""
    before = TracingRevision.objects.filter(pk__lt=revision.pk).first()
    old = {} if before is None else before.overrides
    new = revision.overrides
    keys = [*old, *(key for key in new if key not in old)]
    return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}
