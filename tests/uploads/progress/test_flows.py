"""The bodies on their way through a process."""

from __future__ import annotations

import pytest

from authz.sigv4.proof import UnsignedPayload
from uploads.body.buffers import Buffers
from uploads.body.verified import VerifiedBody
from uploads.ledger.open_record import OpenRecord
from uploads.progress import flows as module
from uploads.progress.flows import Flows, Parts
from uploads.s3.errors import IncompleteBody
from uploads.s3.headers import ExpectedDigests

BLOCK = 1024
SEVENTH = OpenRecord({}, 7)


class Source:
    """Bytes of a client that stops where it is told to."""

    def __init__(self, size: int) -> None:
        self.left = size

    copied_by = ""

    def read_into(self, buffer: memoryview) -> int:
        given = min(len(buffer), self.left)
        self.left -= given
        return given


def body_of(size: int, *, promised: int | None = None) -> VerifiedBody:
    return VerifiedBody(
        Source(size),
        proof=UnsignedPayload(),
        expected=ExpectedDigests(),
        wire_length=promised or size,
        payload_length=promised or size,
        max_bytes=1 << 20,
        buffers=Buffers(BLOCK, BLOCK),
    )


def test_a_body_is_seen_from_its_beginning_to_its_end() -> None:
    flows, body = Flows(), body_of(3 * BLOCK)

    with flows.object(SEVENTH, body):
        (flow,) = flows.current()
        assert (flow.record, flow.part_number) == (SEVENTH, None)
        assert (flow.received_bytes, flow.declared_bytes, flow.is_received) == (0, 3 * BLOCK, False)
        blocks = iter(body)
        next(blocks)
        assert BLOCK <= flow.received_bytes < 3 * BLOCK
        list(blocks)
        assert (flow.received_bytes, flow.is_received) == (3 * BLOCK, True)

    assert flows.current() == []


def test_a_body_that_fails_is_gone_too() -> None:
    flows, body = Flows(), body_of(BLOCK, promised=2 * BLOCK)

    with pytest.raises(IncompleteBody), flows.object(SEVENTH, body):
        list(body)

    assert flows.current() == []


def test_only_those_of_some_age_are_of_interest() -> None:
    now = [100.0]
    flows = Flows(clock=lambda: now[0])
    with flows.object(SEVENTH, body_of(1)):
        now[0] = 103.0
        with flows.object(OpenRecord({}, 8), body_of(1)):
            assert [flow.record for flow in flows.current(older_than_seconds=2.0)] == [SEVENTH]
            assert [flow.age_seconds(now[0]) for flow in flows.current()] == [3.0, 0.0]


def test_parts_that_came_are_counted_by_upload_until_they_are_taken() -> None:
    flows = Flows(wall_clock=lambda: 1_000.0)
    for number, size in ((1, 10), (2, 20), (2, 20)):
        with flows.part("a" * 32, number, body := body_of(size)):
            assert flows.current()[0].part_number == number
            list(body)
    with flows.part("b" * 32, 1, body := body_of(5)):
        list(body)
    with pytest.raises(IncompleteBody), flows.part("b" * 32, 2, body := body_of(5, promised=6)):
        list(body)

    came = flows.take_parts()

    assert came == {"a" * 32: Parts(3, 50, 1_000.0), "b" * 32: Parts(1, 5, 1_000.0)}
    assert flows.take_parts() == {}


def test_parts_that_could_not_be_written_wait_for_the_next_time() -> None:
    flows = Flows(wall_clock=lambda: 5.0)
    flows.add_parts({"a" * 32: Parts(2, 20, 1.0)})
    with flows.part("a" * 32, 3, body := body_of(10)):
        list(body)

    assert flows.take_parts() == {"a" * 32: Parts(3, 30, 5.0)}


def test_uploads_that_wait_to_be_written_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UPLOADS", 2)
    flows = Flows()
    for name in "abcb":
        with flows.part(name * 32, 1, body := body_of(1)):
            list(body)

    assert {digest: parts.number for digest, parts in flows.take_parts().items()} == {
        "a" * 32: 1,
        "b" * 32: 2,
    }
