"""A multipart upload is one decision over all its requests."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.tracing_app.sampling.traces import Sink, trace
from tracing_app.recording.choices import Always, Ratio
from tracing_app.recording.data import TraceData
from tracing_app.recording.trace_ids import EvenTraceIds
from tracing_app.sampling.held import HeldUploads
from tracing_app.sampling.keeping import PerSecond
from tracing_app.sampling.rules import RuleText, parse_rules
from tracing_app.sampling.tail import RATE, REASON, TailPolicy, TailSampler


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def request(operation: str, upload: int = 1, **more: Any) -> TraceData:
    return trace({"rpc.method": f"S3/{operation}"}, trace_id=upload, children=[{}], **more)


def part(number: int, upload: int = 1, **more: Any) -> TraceData:
    return trace(
        {"rpc.method": "S3/UploadPart", "aws.s3.part_number": number}, trace_id=upload, children=[{}], **more
    )


class Node:
    """The sampler of one process."""

    def __init__(self, policy: TailPolicy | None = None, **room: int) -> None:
        self.sink = Sink()
        self.clock = Clock()
        self.told: list[int] = []
        self.sampler = TailSampler(
            policy or TailPolicy(),
            self.sink,
            uploads=HeldUploads(clock=self.clock, **room),
            on_upload_kept=self.told.append,
        )

    def offer(self, *traces: TraceData) -> None:
        for each in traces:
            self.sampler.offer(each)

    def kept(self) -> list[Any]:
        roots = [each.spans[-1].attributes for each in self.sink.traces]
        return [(root.get("aws.s3.part_number", root["rpc.method"]), root[REASON]) for root in roots]


def test_an_error_in_a_part_brings_the_whole_upload() -> None:
    node = Node()

    node.offer(request("CreateMultipartUpload"), *(part(number) for number in range(1, 7)))
    assert node.kept() == []
    node.offer(part(7, is_error=True))
    node.offer(*(part(number) for number in range(8, 31)), request("CompleteMultipartUpload"))

    assert node.kept() == [
        ("S3/CreateMultipartUpload", "upload"),
        *((number, "upload") for number in range(1, 7)),
        (7, "error"),
        *((number, "upload") for number in range(8, 31)),
        ("S3/CompleteMultipartUpload", "upload"),
    ]
    assert node.told == [1]
    assert node.sampler.stats().traces_held == 0
    assert [each.spans[-1].attributes[RATE] for each in node.sink.traces] == [0.0] * 7 + [1.0] + [0.0] * 24


def test_what_follows_stands_for_nothing() -> None:
    """The ratio has counted the requests that follow already: sums of rates are the number of requests."""
    chance, ratio = random.Random(3), 0.1
    new_trace_id = EvenTraceIds(chance)
    node = Node(TailPolicy(head_rate=1 / ratio))
    uploads, parts = 1000, 3

    for _ in range(uploads):
        number, head = new_trace_id(), Ratio(ratio)
        fails_at = chance.choice([1, 2, 3]) if chance.random() < 0.2 else None
        node.offer(request("CreateMultipartUpload", number, head=head))
        for each in range(1, parts + 1):
            node.offer(part(each, number, head=head, is_error=each == fails_at))

    counted = sum(float(each.spans[-1].attributes[RATE]) for each in node.sink.traces)
    assert counted == pytest.approx(uploads * (1 + parts), rel=0.05)
    assert sum(reason == "upload" for _, reason in node.kept()) > 400


def test_another_process_learns_of_it() -> None:
    here, there = Node(), Node()
    here.offer(part(1))
    there.offer(part(2))
    here.offer(part(3, is_error=True))

    for upload in here.told:
        there.sampler.keep_upload(upload)
    there.offer(part(4), request("CompleteMultipartUpload"))

    assert there.kept() == [(2, "upload"), (4, "upload"), ("S3/CompleteMultipartUpload", "upload")]
    assert there.told == [], "what was heard is not told again"


def test_a_healthy_upload_goes_when_it_is_done() -> None:
    node = Node()
    node.offer(part(1), request("CompleteMultipartUpload"), part(1, upload=2))
    assert node.sampler.stats().traces_held == 3

    node.sampler.forget_done_uploads(node.clock.now)
    assert node.sampler.stats().traces_held == 3, "others may not have told yet"
    node.sampler.forget_done_uploads(node.clock.now + 1)

    stats = node.sampler.stats()
    assert stats.traces_held == 1
    assert stats.traces_dropped == {"head": 2}
    assert stats.spans_dropped == {"head": 4}
    assert node.kept() == []


def test_what_goes_when_the_upload_is_done_is_counted_under_what_would_have_dropped_it() -> None:
    rules = parse_rules([RuleText("no parts", "never", "operation = UploadPart")])
    node = Node(TailPolicy(rules=rules, cap=PerSecond(0)))
    node.offer(part(1), part(2), request("ListParts", head=Always()), request("CompleteMultipartUpload"))
    assert node.sampler.stats().traces_dropped == {}

    node.sampler.forget_done_uploads(node.clock.now + 1)

    stats = node.sampler.stats()
    assert stats.traces_dropped == {"rule:no parts": 2, "capped": 1, "head": 1}
    assert stats.spans_dropped == {"rule:no parts": 4, "capped": 2, "head": 2}


@pytest.mark.parametrize("room", [{"max_traces": 3}, {"max_bytes": 2600}], ids=str)
def test_room_is_bounded(room: dict[str, int]) -> None:
    node = Node(None, **room)

    node.offer(part(1, upload=1), part(2, upload=1), part(1, upload=2), part(1, upload=3))

    stats = node.sampler.stats()
    assert stats.traces_dropped == {"held_full": 2}
    assert stats.traces_held == 2
    assert 0 < stats.bytes_held <= 2600
    node.offer(part(3, upload=1, is_error=True))
    assert node.kept() == [(3, "error")], "what went is gone"


def test_a_rule_for_one_part_is_a_rule_for_the_upload() -> None:
    fifth = RuleText("fifth", "always", "root.aws.s3.part_number = 5")
    rules = parse_rules([fifth, RuleText("rest", "never")])
    node = Node(TailPolicy(rules=rules))

    node.offer(part(4), part(5), part(6), part(4, upload=2))

    assert node.kept() == [(4, "upload"), (5, "rule"), (6, "upload")]
    assert node.told == [1]


def test_what_the_head_chose_need_not_be_told() -> None:
    node = Node()

    node.offer(part(1, head=Always()), part(2, head=Always()))

    assert node.kept() == [(1, "head"), (2, "head")]
    assert node.told == []


def test_other_requests_are_never_held() -> None:
    node = Node()

    node.offer(request("PutObject"))

    assert node.sampler.stats().traces_held == 0
    assert node.sampler.stats().traces_dropped == {"head": 1}
