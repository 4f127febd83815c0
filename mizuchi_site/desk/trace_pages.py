"""Pages of a list of traces, of which nothing is counted: each begins where the one before ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.db.models import Q, QuerySet

from tracing_app.store.models import StoredTrace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list: after the request that began then, with that primary key. As text
    ``MICROSECONDS-KEY``, in Unix time."""

    FORM: ClassVar = r"\A([0-9]{1,17})-([0-9]{1,18})\Z"

    started_at: datetime
    key: int

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises ValueError."""
        found = re.match(cls.FORM, text)
        if found is None:
            raise ValueError("not a place in a list of traces")
        return cls(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))

    def __str__(self) -> str:
        return f"{(self.started_at - _EPOCH) // timedelta(microseconds=1)}-{self.key}"


@dataclass(frozen=True, slots=True)
class TracePage:
    """``older`` is None on the last page."""

    rows: list[StoredTrace]
    older: Cursor | None


def trace_page(found: QuerySet[StoredTrace], before: Cursor | None, size: int) -> TracePage:
    """The newest ``size`` of what was found, or those that come after ``before``."""
    in_order = found.order_by("-started_at", "-id")
    if before is not None:
        in_order = in_order.filter(
            Q(started_at__lt=before.started_at) | Q(started_at=before.started_at, id__lt=before.key)
        )
    rows = list(in_order[: size + 1])
    last = rows[size - 1] if len(rows) > size else None
    return TracePage(rows[:size], Cursor(last.started_at, last.pk) if last else None)
