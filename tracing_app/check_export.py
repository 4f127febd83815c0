"""Tries the way of a trace to its collector, step by step, as ``manage.py tracing_check`` shows it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Tracer

from tracing_app.deadline_http import Deadline, connected
from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.endpoint import Endpoint, parse_endpoint
from tracing_app.exporting.factory import build_transport
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.exporting.transport import Accepted, Outcome
from tracing_app.lookup import look_up
from tracing_app.recording.choices import Always
from tracing_app.recording.data import TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler

StepName = Literal["resolve", "connect", "tls", "export"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step and its time; ``advice`` says what to do when it failed, "" when it went well."""

    name: StepName
    seconds: float
    detail: str
    advice: str = ""

    @property
    def milliseconds(self) -> float:
        return self.seconds * 1000


_ADVICE: dict[StepName, str] = {
    "resolve": "The name of the collector's host is not known here: check tracing.otlp.endpoint and DNS.",
    "connect": "Nothing accepts connections there: is the collector running, and does a firewall allow it?",
    "tls": "The TLS handshake failed: check that the endpoint speaks TLS, and tracing.otlp.tls.ca_file.",
    "export": "The collector did not take a span: check tracing.otlp.protocol, its path and its headers.",
}


def check_export(otlp: OtlpConfig, resource: Resource, *, within_seconds: float = inf) -> Iterator[Step]:
    """The steps, up to the first that fails. Sends one real span. A step has ``otlp.timeout_seconds``, all
    together have ``within_seconds``."""
    endpoint = parse_endpoint(otlp.endpoint, otlp.protocol, is_full_url=otlp.is_full_url)
    whole = Deadline(within_seconds)
    steps: list[tuple[StepName, Callable[[float], str]]] = [
        ("resolve", lambda seconds: _resolve(endpoint, seconds)),
        ("connect", lambda seconds: _connect(endpoint, seconds)),
    ]
    if endpoint.is_tls:
        steps.append(("tls", lambda seconds: _handshake(endpoint, otlp, seconds)))
    steps.append(("export", lambda seconds: _export(otlp, resource, seconds)))
    for name, action in steps:
        step = _timed(name, lambda: action(min(otlp.timeout_seconds, _left(whole))))  # noqa: B023
        yield step
        if step.advice:
            return


def _left(whole: Deadline) -> float:
    try:
        return whole.remaining()
    except TimeoutError:
        raise TimeoutError("the steps before took all the time there was") from None


def _timed(name: StepName, action: Callable[[], str]) -> Step:
    began = time.perf_counter()
    try:
        step = Step(name, 0.0, action())
    except (OSError, ExportRefused) as error:
        step = Step(name, 0.0, str(error), _ADVICE[name])
    return replace(step, seconds=time.perf_counter() - began)


class ExportRefused(Exception):
    """The collector was reached, and did not take the span."""


def _resolve(endpoint: Endpoint, seconds: float) -> str:
    found = look_up(endpoint.host, endpoint.port, seconds)
    return ", ".join(sorted({str(address[4][0]) for address in found}))


def _connect(endpoint: Endpoint, seconds: float) -> str:
    with _connected(endpoint, seconds):
        return endpoint.authority


def _connected(endpoint: Endpoint, seconds: float) -> socket.socket:
    deadline = Deadline(seconds)
    return connected(look_up(endpoint.host, endpoint.port, seconds), deadline)


def _handshake(endpoint: Endpoint, otlp: OtlpConfig, seconds: float) -> str:
    context = ssl.create_default_context(cafile=str(otlp.ca_file) if otlp.ca_file else None)
    with (
        _connected(endpoint, seconds) as plain,
        context.wrap_socket(plain, server_hostname=endpoint.host) as wrapped,
    ):
        return wrapped.version() or ""


def _export(otlp: OtlpConfig, resource: Resource, seconds: float) -> str:
    transport = build_transport(otlp)
    try:
        outcome = transport.send(SpanEncoder(resource).encode([_check_trace()]), seconds)
    finally:
        transport.close()
    return _judged(outcome)


def _judged(outcome: Outcome) -> str:
    if not isinstance(outcome, Accepted):
        raise ExportRefused(outcome.reason)
    if outcome.rejected_spans:
        raise ExportRefused(f"{outcome.rejected_spans} spans rejected: {outcome.message}")
    return "one span accepted"


class _Kept:
    """Keeps the one trace of the check."""

    trace: TraceData

    def offer(self, trace: TraceData) -> None:
        self.trace = trace


def _check_trace() -> TraceData:
    kept = _Kept()
    provider = LightTracerProvider(HeadSampler(Always(), tail=False), kept)
    tracer: Tracer = provider.get_tracer("mizuchi")
    tracer.start_span("tracing_check").end()
    return kept.trace
