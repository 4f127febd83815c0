"""The spans of a trace as a tree in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from .rows import Value, attributes_of

DELIVERY: Final = "webhook.deliver"
"""The name of spans that are in a trace and after what it traces: an event on its way to a webhook."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An event of a span; ``offset_ms`` from the start of the whole trace."""

    name: str
    offset_ms: float
    attributes: dict[str, Value]


@dataclass(slots=True)
class Node:
    """A span. ``offset_ms`` is from the start of the whole trace; ``is_orphan``: its parent is not there."""

    span_id: str
    name: str
    kind: str
    offset_ms: float
    duration_ms: float
    is_error: bool
    attributes: dict[str, Value]
    events: list[Moment]
    links: list[str]
    is_orphan: bool
    children: list[Node] = field(default_factory=list)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """This span and those below it, parents first, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    @property
    def interval_ns(self) -> tuple[int, int]:
        """Its start and end in nanoseconds from the start of the whole trace."""
        start = round(self.offset_ms * 1e6)
        return start, start + round(self.duration_ms * 1e6)

    def has_joined(self, parent: Node) -> bool:
        """Whether it is a request of its own, which goes on with the upload that its parent began."""
        return self.kind == parent.kind == "SERVER"


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole trace. ``roots`` are spans without a parent here: more than one where a trace came in from
    elsewhere, or where a part of it was not kept. ``start_ns`` is Unix time in nanoseconds."""

    trace_id: str
    start_ns: int
    duration_ms: float
    roots: list[Node]

    def walk(self) -> Iterator[tuple[int, Node]]:
        """All spans, each with its depth."""
        for root in self.roots:
            yield from root.walk()

    def requests(self) -> list[Node]:
        """The roots, and the requests that joined an upload which another one began, in no order."""
        joined = (child for _, node in self.walk() for child in node.children if child.has_joined(node))
        return [*self.roots, *joined]

    @property
    def served_ms(self) -> float:
        """Until all was over but deliveries to webhooks, for which nobody waits."""
        ends = [node.interval_ns[1] / 1e6 for _, node in self.walk() if node.name != DELIVERY]
        return max(ends, default=self.duration_ms)


def build_tree(trace_id: str, parts: Iterable[TracesData]) -> Tree:
    """Put together what was stored of a trace. Raises ValueError when nothing was."""
    spans = {span.span_id: span for part in parts for span in _spans(part)}
    if not spans:
        raise ValueError(f"nothing is stored of trace {trace_id}")
    start_ns = min(span.start_time_unix_nano for span in spans.values())
    end_ns = max(span.end_time_unix_nano for span in spans.values())
    in_order = sorted(spans.values(), key=lambda span: (span.start_time_unix_nano, -span.end_time_unix_nano))
    nodes = {span.span_id: _node(span, start_ns, spans.keys()) for span in in_order}
    roots: list[Node] = []
    for span in in_order:
        parent = nodes.get(span.parent_span_id)
        (roots if parent is None else parent.children).append(nodes[span.span_id])
    return Tree(trace_id, start_ns, (end_ns - start_ns) / 1e6, roots)


def _spans(part: TracesData) -> Iterator[Span]:
    for resource in part.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def _node(span: Span, start_ns: int, known: Iterable[bytes]) -> Node:
    return Node(
        span_id=span.span_id.hex(),
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        offset_ms=(span.start_time_unix_nano - start_ns) / 1e6,
        duration_ms=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=attributes_of(span),
        events=[
            Moment(event.name, (event.time_unix_nano - start_ns) / 1e6, attributes_of(event))
            for event in span.events
        ],
        links=[link.trace_id.hex() for link in span.links],
        is_orphan=bool(span.parent_span_id) and span.parent_span_id not in known,
    )
