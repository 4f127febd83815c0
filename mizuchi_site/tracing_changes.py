"""Changes of live tracing settings by users: each a revision and an entry of the audit log, or neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction

from mizuchi_site.setting_text import change_text
from tracing_app.apps import tracing_config
from tracing_app.live.overrides import apply_overrides
from tracing_app.live.revisions import history, newest_revision, restore, save_overrides, undo
from tracing_app.models import TracingRevision

User = AbstractBaseUser | AnonymousUser
"""As requests have it. Views let nobody in who is not logged in."""


def change(
    user: User, overrides: Mapping[str, Any], *, based_on: int | None, note: str = ""
) -> TracingRevision | None:
    """Put overrides in force; None when they are already. Raises as ``save_overrides``."""
    apply_overrides(tracing_config().sampling, overrides)
    newest = newest_revision()
    number, current = (newest.pk, newest.overrides) if newest else (0, {})
    if based_on in (None, number) and overrides == current:
        return None
    return _logged(user, lambda by: save_overrides(overrides, by=by, note=note, based_on=based_on))


def undo_last(user: User, *, based_on: int | None) -> TracingRevision | None:
    """Take back the last change; None when there is none. Raises as ``save_overrides``."""
    return _logged(user, lambda by: undo(by=by, based_on=based_on))


def go_back(user: User, to: TracingRevision, *, based_on: int | None) -> TracingRevision | None:
    """Put an earlier revision in force again. Raises as ``save_overrides``."""
    return _logged(user, lambda by: restore(to, by=by, based_on=based_on))


def _logged(user: User, act: Callable[[str], TracingRevision | None]) -> TracingRevision | None:
    assert user.pk is not None
    with transaction.atomic():
        revision = act(user.get_username())
        if revision is not None:
            (entry,) = history(limit=1)
            LogEntry.objects.log_actions(user.pk, [revision], CHANGE, change_text(entry.changes))
    return revision
