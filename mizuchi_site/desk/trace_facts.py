"""What a trace is about, out of its spans: requests, outcome, object, client, and why it was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tracing_app.store.rows import Value
from tracing_app.store.tree import Node, Tree

from .shown_spans import requests_of
from .trace_failures import Failure, failures, operation_of


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """``requests``: how many of each operation. ``kept``: why, and for how many traces it stands.
    ``upload_hashes``: of the multipart uploads in it."""

    title: str
    began_at: datetime
    requests: Sequence[tuple[str, int]]
    span_count: int
    failures: Sequence[Failure]
    objects: Sequence[str]
    bytes: int | None
    clients: Sequence[str]
    principals: Sequence[str]
    kept: Sequence[str]
    upload_hashes: Sequence[str]

    @property
    def request_count(self) -> int:
        return sum(count for _, count in self.requests)

    @property
    def failed_count(self) -> int:
        return sum(failure.count for failure in self.failures)


def trace_facts(tree: Tree, *, span_count: int) -> TraceFacts:
    """Over all requests of the trace. ``span_count``: how many spans there are, also outside of ``tree``."""
    requests = requests_of(tree)
    spans = [node for _, node in tree.walk()]
    operations = Counter(map(operation_of, requests))
    return TraceFacts(
        title=_title(requests),
        began_at=datetime.fromtimestamp(tree.start_ns / 1e9, UTC),
        requests=list(operations.items()),
        span_count=span_count,
        failures=failures(requests),
        objects=_distinct(map(_object, requests)),
        bytes=_bytes(spans),
        clients=_values(requests, "user_agent.name"),
        principals=_values(spans, "user.hash"),
        kept=_distinct(map(_kept, requests)),
        upload_hashes=_values(spans, "aws.s3.upload_id"),
    )


def _title(requests: Sequence[Node]) -> str:
    operations = [operation_of(request) for request in requests]
    if len(operations) == 1:
        return operations[0]
    return "a multipart upload" if "UploadPart" in operations else f"{len(operations)} requests"


def _object(request: Node) -> str:
    bucket, key = (str(request.attributes.get(f"aws.s3.{name}", "")) for name in ("bucket", "key"))
    return f"{bucket}/{key}" if key else bucket


def _kept(request: Node) -> str:
    names = ("reason", "rule", "rate")
    reason, rule, rate = (request.attributes.get(f"mizuchi.sampling.{name}") for name in names)
    if not reason:
        return ""
    because = f"{reason}: {rule}" if rule else str(reason)
    stands_for = f", stands for {rate:.4g}" if isinstance(rate, (int, float)) and rate > 1 else ""
    return because + stands_for


def _bytes(spans: Iterable[Node]) -> int | None:
    """What was received; a completed upload tells the sum of its parts again."""
    received = [
        size
        for node in spans
        if "omplete" not in node.name and isinstance(size := node.attributes.get("mizuchi.upload.bytes"), int)
    ]
    return sum(received) if received else None


def _values(spans: Iterable[Node], name: str) -> list[str]:
    return _distinct(_text(node.attributes.get(name)) for node in spans)


def _text(value: Value | None) -> str:
    return "" if value is None else str(value)


def _distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
