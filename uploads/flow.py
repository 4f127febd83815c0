"""What the span of an upload tells about the flow of its body."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tracing_app.api import Stage
from uploads.body.timed import TimedBody, Timeline
from uploads.body.verified import VerifiedBody
from uploads.statistics.request import note_waits


@contextmanager
def told_on(current: Stage, body: VerifiedBody) -> Iterator[TimedBody]:
    """``body`` as a backend is to read it, for as long as the backend is at work. Bytes, waits and moments
    are told on ``current`` at the end, whether it went well or not; the waits are counted, too.

    ``receive_wait_ms`` is what the client let us wait, ``backend_wait_ms`` all of the backend's time but
    what it waited for blocks: connecting, taking them, committing, answering. ``zero_copy`` is true when the
    payload stayed where the kernel had put it until the storage took it; else ``copied_by`` is who moved it.
    """
    timed, timeline = TimedBody(body), body.timeline
    began_ns = timeline.now_ns()
    committed_ns = 0
    try:
        yield timed
        committed_ns = timeline.now_ns()
    finally:
        body.close()
        timeline.backend_wait_ns = timeline.now_ns() - began_ns - timed.pulled_ns
        current.set_all(
            {
                "mizuchi.upload.bytes": body.size,
                "mizuchi.upload.zero_copy": not body.copied_by,
                "mizuchi.upload.receive_wait_ms": timeline.receive_wait_ns / 1e6,
                "mizuchi.upload.backend_wait_ms": timeline.backend_wait_ns / 1e6,
            }
        )
        if body.copied_by:
            current.set("mizuchi.upload.copied_by", body.copied_by)
        note_waits(timeline.receive_wait_ns / 1e9, timeline.backend_wait_ns / 1e9)
        _tell_moments(current, timeline, committed_ns)


def _tell_moments(current: Stage, timeline: Timeline, committed_ns: int) -> None:
    """Those that were, in order; a stall comes before the byte that ended it."""
    moments: list[tuple[int, str, dict[str, float] | None]] = [
        (timeline.first_byte_ns, "body.first_byte", None),
        (timeline.received_ns, "body.received", None),
        (timeline.verified_ns, "body.verified", None),
        (committed_ns, "object.committed", None),
    ]
    if timeline.stalls:
        current.set("mizuchi.upload.stalls", timeline.stall_count)
        stalls = [
            (stall.ended_ns, "body.stalled", {"mizuchi.stall_ms": stall.wait_ns / 1e6})
            for stall in timeline.stalls
        ]
        moments = sorted([*stalls, *moments], key=lambda moment: moment[0])
    for time_ns, name, attributes in moments:
        if time_ns:
            current.event(name, attributes, time_ns=time_ns)
