"""What the span of an upload tells about the flow of its body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from tracing_app.api import FixedAttributes, Stage
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
        current.set("mizuchi.upload.bytes", body.size)
        current.set("mizuchi.upload.receive_wait_ms", timeline.receive_wait_ns / 1e6)
        current.set("mizuchi.upload.backend_wait_ms", timeline.backend_wait_ns / 1e6)
        current.set_all(_copied(body.copied_by))
        note_waits(timeline.receive_wait_ns / 1e9, timeline.backend_wait_ns / 1e9, timed.taken_by)
        _tell_moments(current, timeline, committed_ns)


@lru_cache(maxsize=64)
def _copied(by: str) -> FixedAttributes:
    attributes: dict[str, str | bool] = {"mizuchi.upload.zero_copy": not by}
    if by:
        attributes["mizuchi.upload.copied_by"] = by
    return FixedAttributes(attributes)


def _tell_moments(current: Stage, timeline: Timeline, committed_ns: int) -> None:
    """Those that were, in order; a stall comes before the byte that ended it."""
    moments = (
        ("body.first_byte", timeline.first_byte_ns),
        ("body.received", timeline.received_ns),
        ("body.verified", timeline.verified_ns),
        ("object.committed", committed_ns),
    )
    if timeline.stalls:
        _tell_stalls(current, timeline, moments)
    else:
        are_all = timeline.first_byte_ns and committed_ns
        current.events(moments if are_all else [moment for moment in moments if moment[1]])


def _tell_stalls(current: Stage, timeline: Timeline, moments: Iterable[tuple[str, int]]) -> None:
    """And the moments among them."""
    current.set("mizuchi.upload.stalls", timeline.stall_count)
    events: list[tuple[int, str, dict[str, float] | None]] = [
        (stall.ended_ns, "body.stalled", {"mizuchi.stall_ms": stall.wait_ns / 1e6})
        for stall in timeline.stalls
    ]
    events += [(time_ns, name, None) for name, time_ns in moments if time_ns]
    for time_ns, name, attributes in sorted(events, key=lambda event: event[0]):
        current.event(name, attributes, time_ns=time_ns)
