"""Jaeger (version 2) as a real collector and query service, configured as in the example for it: traces in
memory. As it is built here it has no pages."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from .process import free_ports, needs_built_server, running_server

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")  # OTLP's Span.SpanKind
ERROR = 2  # OTLP's Status.StatusCode
WARNINGS = "@jaeger@warnings"
CONFIGURATION = Path(__file__).resolve().parents[2] / "examples" / "jaeger" / "jaeger.yaml"
ARRIVAL_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a service as Jaeger answers it; ids are hex, ``parent_id`` of a trace's first span is ``""``.

    ``events`` are their names in order, ``links`` the trace ids it is linked to, ``warnings`` what Jaeger
    found wrong and put right (a negative duration, a parent that is its child).
    """

    service: str
    name: str
    kind: str
    span_id: str
    parent_id: str
    attributes: Mapping[str, Any]
    events: tuple[str, ...]
    links: tuple[str, ...]
    is_error: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Jaeger:
    """``endpoint`` is the base URL of the query API."""

    endpoint: str
    grpc_port: int
    http_port: int

    def otlp_endpoint(self, protocol: str) -> str:
        """Where it takes OTLP over ``grpc`` or ``http/protobuf``, for ``tracing.otlp.endpoint``."""
        return f"http://127.0.0.1:{self.grpc_port if protocol == 'grpc' else self.http_port}"

    def trace(self, trace_id: str) -> list[Span]:
        """What it has of a trace by now, in no order."""
        answer = httpx.get(f"{self.endpoint}/api/v3/traces/{trace_id}")
        if answer.status_code == 404:
            return []
        resources = answer.raise_for_status().json()["result"]["resourceSpans"]
        return [span for resource in resources for span in _spans(resource)]

    def wait_for(self, trace_id: str, spans: int) -> list[Span]:
        """A trace once it has so many spans; what there is of it when they have not come in time."""
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while len(found := self.trace(trace_id)) < spans and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def is_ready(self) -> bool:
        """It answers before it takes spans."""
        try:
            for port in (self.grpc_port, self.http_port):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return httpx.get(f"{self.endpoint}/api/v3/services").status_code == 200
        except (OSError, httpx.TransportError):
            return False


@contextmanager
def running_jaeger(folder: Path) -> Iterator[Jaeger]:
    """A server without traces on ports of its own, ended with the block. Raises ServerFailed."""
    program = needs_built_server("jaeger")
    http, grpc, otlp_grpc, otlp_http = free_ports(4)
    places = {
        "extensions.jaeger_query.http": http,
        "extensions.jaeger_query.grpc": grpc,
        "receivers.otlp.protocols.grpc": otlp_grpc,
        "receivers.otlp.protocols.http": otlp_http,
    }
    server = Jaeger(f"http://127.0.0.1:{http}", otlp_grpc, otlp_http)
    command = [program, "--config", f"file:{CONFIGURATION}"]
    command += [f"--set={place}.endpoint=127.0.0.1:{port}" for place, port in places.items()]
    with running_server(command, log=folder / "log", is_ready=server.is_ready):
        yield server


def _spans(resource: Mapping[str, Any]) -> Iterator[Span]:
    service = _attributes(resource["resource"]).get("service.name", "")
    for scope in resource["scopeSpans"]:
        for span in scope["spans"]:
            yield _span(service, span)


def _span(service: str, span: Mapping[str, Any]) -> Span:
    attributes = _attributes(span)
    warnings = attributes.pop(WARNINGS, ())
    return Span(
        service=service,
        name=span["name"],
        kind=KINDS[span.get("kind", 0)],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        attributes=attributes,
        events=tuple(event["name"] for event in span.get("events", [])),
        links=tuple(link["traceId"] for link in span.get("links", [])),
        is_error=span.get("status", {}).get("code") == ERROR,
        warnings=tuple(warnings),
    )


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {each["key"]: _value(each["value"]) for each in holder.get("attributes", [])}


def _value(value: Mapping[str, Any]) -> Any:
    """An OTLP AnyValue in JSON, which writes 64-bit integers as strings."""
    ((kind, content),) = value.items()
    match kind:
        case "intValue":
            return int(content)
        case "arrayValue":
            return [_value(each) for each in content["values"]]
        case _:
            return content
