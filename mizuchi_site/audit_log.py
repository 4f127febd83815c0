"""The audit log: who changed what. It is Django's ``LogEntry``, which the admin writes by itself; this is for
all else that changes something, and for reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, QuerySet
from django.forms.utils import pretty_name

ACTIONS = {ADDITION: "added", CHANGE: "changed", DELETION: "deleted"}


def note_added(user: AbstractBaseUser | AnonymousUser, made: Model) -> None:
    _note(user, made, ADDITION, [{"added": {}}])


def note_changed(user: AbstractBaseUser | AnonymousUser, changed: Model, fields: Iterable[str]) -> None:
    """``fields`` are names of the model's; values, which may be secrets, are not in the log."""
    labels = [pretty_name(name) for name in fields]
    _note(user, changed, CHANGE, [{"changed": {"fields": labels}}])


def note_deleted(user: AbstractBaseUser | AnonymousUser, deleted: Model) -> None:
    """Before it is deleted."""
    _note(user, deleted, DELETION, [])


def _note(
    user: AbstractBaseUser | AnonymousUser, about: Model, action: int, message: Sequence[dict[str, Any]]
) -> None:
    assert user.pk is not None
    told = list(message) if message else ""
    LogEntry.objects.log_actions(user.pk, [about], action, told, single_object=True)


def entries(*, user: str = "", kind: str = "", action: str = "") -> QuerySet[LogEntry]:
    """Changes by a username, of a kind of object (``app_label.model``), of one of ``ACTIONS``; "" is any."""
    found = LogEntry.objects.select_related("user", "content_type")
    if user:
        found = found.filter(user__username=user)
    if kind:
        label, _, model = kind.partition(".")
        found = found.filter(content_type__app_label=label, content_type__model=model)
    if action:
        found = found.filter(action_flag__in=[flag for flag, name in ACTIONS.items() if name == action])
    return found
