"""A collector of a benchmark's own: OTLP over HTTP, in a process that nothing is measured in."""

from __future__ import annotations

import gzip
import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .answering import answer_all
from .spawned import spawned

_EMPTY_ANSWER = b""  # an ExportTraceServiceResponse that has nothing to say
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A request of an exporter: when it had come whole, in nanoseconds of Unix time, and its body."""

    at_ns: int
    body: bytes

    @property
    def spans(self) -> Iterator[Span]:
        payload = gzip.decompress(self.body) if self.body.startswith(_GZIP) else self.body
        for resource_spans in ExportTraceServiceRequest.FromString(payload).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                yield from scope_spans.spans


class Collector:
    """Takes everything. ``is_keeping``: it can tell what came. It may be slow, or gone, and come back."""

    def __init__(self, *, is_keeping: bool) -> None:
        self._is_keeping = is_keeping
        self._delay = multiprocessing.get_context("spawn").RawValue("d", 0.0)
        self._held, self._port = _held_port()
        self._running = ExitStack()
        self._pipe: Connection | None = None
        self._receipts: list[Receipt] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def section(self) -> dict[str, Any]:
        """The configuration of a gateway that exports to it, each trace."""
        return {"tracing": {"otlp": {"endpoint": self.endpoint, "protocol": "http/protobuf"}}}

    def come(self) -> None:
        """Be there, at the same address as before."""
        self._pipe = self._running.enter_context(spawned(_serve, self._port, self._delay, self._is_keeping))
        self._pipe.recv()

    def go(self) -> None:
        """Connections end, and new ones are refused."""
        self._receipts = self.taken()
        self._pipe = None
        self._running.close()

    def be_slow(self, seconds: float) -> None:
        """Answer so much later, from the next request on; 0 is at once."""
        self._delay.value = seconds

    def taken(self) -> list[Receipt]:
        """What came since the last call."""
        taken, self._receipts = self._receipts, []
        if self._pipe is not None:
            self._pipe.send("take")
            taken += self._pipe.recv()
        return taken

    def close(self) -> None:
        self._running.close()
        self._held.close()


@contextmanager
def running_collector(*, is_keeping: bool = False) -> Iterator[Collector]:
    collector = Collector(is_keeping=is_keeping)
    try:
        collector.come()
        yield collector
    finally:
        collector.close()


def _held_port() -> tuple[socket.socket, int]:
    """A port that stays the collector's while it is gone: the kernel gives it to no one else."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held, held.getsockname()[1]


def _serve(pipe: Connection, port: int, delay: Any, is_keeping: bool) -> None:
    lock = threading.Lock()
    receipts: list[Receipt] = []

    def answer(head: bytes, body: bytes) -> bytes:
        at_ns = time.time_ns()
        if is_keeping:
            with lock:
                receipts.append(Receipt(at_ns, body))
        if delay.value:
            time.sleep(delay.value)
        return _EMPTY_ANSWER

    with socket.create_server(("127.0.0.1", port), backlog=256) as listener:
        serving = (listener, answer, "application/x-protobuf")
        threading.Thread(target=answer_all, args=serving, daemon=True).start()
        pipe.send("there")
        while pipe.recv():
            with lock:
                taken: Sequence[Receipt] = tuple(receipts)
                receipts.clear()
            pipe.send(taken)
