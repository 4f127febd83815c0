"""Multipart uploads in progress, of all nodes: the database knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from django.db.models import Count

from tracing_app.api import Gauge, Label, Reading
from uploads.models import UploadRecord

KNOWN_SECONDS: Final = 30.0
"""How long it is taken to be as it was."""

IN_PROGRESS = Gauge(
    "mizuchi_multipart_uploads_in_progress",
    "Multipart uploads that are neither completed nor aborted, of all nodes together.",
    otlp="mizuchi.multipart_uploads.in_progress",
    labels=(Label("bucket", "aws.s3.bucket"),),
    is_maximum=True,
)


class MultipartInProgress:
    """``look`` asks the database; what it said is told until it is too old: nobody waits for a database that
    is away."""

    def __init__(self, buckets: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = tuple(buckets)
        self._clock = clock
        self._looked_at = -KNOWN_SECONDS
        self._counts: Mapping[str, int] = {}

    def look(self) -> None:
        """One query. Raises DatabaseError."""
        found = UploadRecord.objects.filter(
            state=UploadRecord.State.RECEIVING, method=UploadRecord.Method.MULTIPART
        )
        counted = found.order_by().values("bucket").annotate(uploads=Count("id"))
        counts = dict.fromkeys(self._buckets, 0)
        counts |= {each["bucket"]: each["uploads"] for each in counted}
        self._counts, self._looked_at = counts, self._clock()

    def collect(self) -> Iterator[Reading]:
        """What is known."""
        if self._clock() - self._looked_at < KNOWN_SECONDS:
            yield from ((IN_PROGRESS, (bucket,), float(count)) for bucket, count in self._counts.items())
