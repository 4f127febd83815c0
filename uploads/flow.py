"""What the span of an upload tells about the flow of its body."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tracing_app.api import Stage
from uploads.body.timed import TimedBody
from uploads.body.verified import VerifiedBody


@contextmanager
def told_on(current: Stage, body: VerifiedBody) -> Iterator[TimedBody]:
    """``body`` as a backend is to read it. Bytes, waits and milestones are told on ``current`` at the end,
    whether it went well or not: ``receive_wait_ms`` is what the client let us wait, ``backend_wait_ms``
    what the storage did, its commit after the last byte included."""
    timed = TimedBody(body)
    try:
        yield timed
        committed_ns = time.time_ns()
        timed.backend_wait_ns += committed_ns - timed.verified_ns
        _milestones(current, timed)
        current.event("object.committed", time_ns=committed_ns)
    except BaseException:
        _milestones(current, timed)
        raise
    finally:
        current.set("mizuchi.upload.bytes", body.size)
        current.set("mizuchi.upload.zero_copy", False)
        current.set("mizuchi.upload.receive_wait_ms", body.receive_wait_ns / 1e6)
        current.set("mizuchi.upload.backend_wait_ms", timed.backend_wait_ns / 1e6)


def _milestones(current: Stage, timed: TimedBody) -> None:
    if timed.first_block_ns:
        current.event("body.first_block", time_ns=timed.first_block_ns)
    if timed.verified_ns:
        current.event("body.verified", time_ns=timed.verified_ns)
