"""A real OTLP receiver in a process of its own: it shares no interpreter lock with who looks at it."""

from __future__ import annotations

import multiprocessing
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection as Pipe
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.span_tree import outline
from tests.servers import jaeger
from tests.servers.otlp_receiver import otlp_receiver

PROTOCOL: Final = "http/protobuf"
ARRIVAL_SECONDS = 60.0


@dataclass(frozen=True)
class Arrived:
    """What a collector has of one trace, every span as often as it came."""

    spans: list[Span]

    @cached_property
    def outline(self) -> str:
        """Its tree; a span that came twice stands there twice, one without its parent as an orphan."""
        return outline([_node(span) for span in self.spans])

    @property
    def roots(self) -> list[Span]:
        return [span for span in self.spans if span.kind == Span.SPAN_KIND_SERVER]

    @property
    def milliseconds(self) -> float:
        """How long its request took on the gateway."""
        (root,) = self.roots
        return (root.end_time_unix_nano - root.start_time_unix_nano) / 1e6

    def mark(self, name: str) -> Any:
        """An attribute ``mizuchi.sampling.*`` of the root, None without it."""
        for root in self.roots:
            for pair in root.attributes:
                if pair.key == f"mizuchi.sampling.{name}":
                    kind = pair.value.WhichOneof("value")
                    return None if kind is None else getattr(pair.value, kind)
        return None


class Collector:
    """The receiver as who started it sees it."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._port: int = pipe.recv()

    @property
    def otlp(self) -> dict[str, Any]:
        """``tracing.otlp`` of a gateway that exports to it."""
        return {"endpoint": f"http://127.0.0.1:{self._port}", "protocol": PROTOCOL}

    def trace_ids(self) -> set[str]:
        """The traces that have arrived by now, in hex."""
        self._pipe.send("ids")
        return {f"{number:032x}" for number in self._pipe.recv()}

    def wait_for(self, wanted: set[str]) -> set[str]:
        """The traces that have arrived once those that are wanted have, or when they have not in time."""
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while not wanted <= (arrived := self.trace_ids()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return arrived

    def traces(self) -> Mapping[str, Arrived]:
        """All that has arrived by now, by trace id."""
        self._pipe.send("requests")
        found: dict[str, Arrived] = defaultdict(lambda: Arrived([]))
        for serialized in self._pipe.recv():
            request = ExportTraceServiceRequest.FromString(serialized)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        found[span.trace_id.hex()].spans.append(span)
        return dict(found)


@contextmanager
def collector_of_its_own() -> Iterator[Collector]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_collect, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Collector(ours)
    finally:
        ours.close()
        process.join(10)
        if process.is_alive():
            process.kill()


def _collect(pipe: Pipe) -> None:
    with otlp_receiver(PROTOCOL) as receiver:
        pipe.send(receiver.port)
        try:
            while True:
                if pipe.recv() == "ids":
                    pipe.send(receiver.trace_ids())
                else:
                    pipe.send([request.SerializeToString() for request in list(receiver.requests)])
        except EOFError:
            return


def _node(span: Span) -> jaeger.Span:
    ids = (span.span_id.hex(), span.parent_span_id.hex())
    return jaeger.Span("", span.name, jaeger.KINDS[span.kind], *ids, {}, (), (), False, ())
