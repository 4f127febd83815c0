"""Real OTLP receivers for tests, over gRPC and HTTP, that keep what they got and misbehave when told to."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Protocol

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceServicer
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .certificates import Certificate


@dataclass(frozen=True)
class Accept:
    """Take all; after a while when ``seconds`` is set."""

    seconds: float = 0


@dataclass(frozen=True)
class Partial:
    """Take all but ``rejected`` spans or log records."""

    rejected: int
    message: str = ""


@dataclass(frozen=True)
class BlackHole:
    """Never answer, take nothing; when ``released``, let the connection go."""


@dataclass(frozen=True)
class Fail:
    """Refuse with that status, after storing nothing."""

    http: int = 503
    grpc: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    message: str = "away"
    retry_after: str | None = None


@dataclass(frozen=True)
class Redirect:
    """HTTP only."""

    location: str


@dataclass(frozen=True)
class Garbage:
    """A success that is none of OTLP's."""

    body: bytes = b"<html>welcome</html>"


Behaviour = Accept | Partial | BlackHole | Fail | Redirect | Garbage


class Swallowed(Exception):
    """The request is in a black hole: there is no answer."""


class _Server(Protocol):
    def stop(self) -> None: ...


@dataclass
class OtlpReceiver:
    """One collector: ``requests`` of traces it took, ``log_requests`` and ``metric_requests``; ``headers`` of
    each try. ``stop`` and ``start`` keep its port."""

    protocol: Literal["grpc", "http/protobuf"]
    tls: Certificate | None = None
    behaviour: Behaviour = field(default_factory=Accept)
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    log_requests: list[ExportLogsServiceRequest] = field(default_factory=list)
    metric_requests: list[ExportMetricsServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    _server: _Server | None = None

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def tries(self) -> int:
        return len(self.headers)

    def spans(self) -> list[Span]:
        """All spans taken, in order."""
        return [
            span
            for request in list(self.requests)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def trace_ids(self) -> list[int]:
        """The distinct traces taken, in order of arrival."""
        return list(dict.fromkeys(int.from_bytes(span.trace_id, "big") for span in self.spans()))

    def log_records(self) -> list[LogRecord]:
        """All log records taken, in order."""
        return [
            record
            for request in list(self.log_requests)
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def start(self) -> None:
        self._server = _GrpcServer(self) if self.protocol == "grpc" else _HttpServer(self)

    def stop(self) -> None:
        """Refuse connections from now on."""
        self.released.set()
        if self._server:
            self._server.stop()
        self._server = None
        self.released = threading.Event()

    def take(self, request: ExportTraceServiceRequest) -> ExportTraceServiceResponse:
        """Do as told with a request that is not to fail. Raises Swallowed."""
        self._dawdle()
        self.requests.append(request)
        if isinstance(self.behaviour, Partial):
            partial = ExportTracePartialSuccess(
                rejected_spans=self.behaviour.rejected, error_message=self.behaviour.message
            )
            return ExportTraceServiceResponse(partial_success=partial)
        return ExportTraceServiceResponse()

    def take_logs(self, request: ExportLogsServiceRequest) -> ExportLogsServiceResponse:
        """The same with logs."""
        self._dawdle()
        self.log_requests.append(request)
        if isinstance(self.behaviour, Partial):
            partial = ExportLogsPartialSuccess(
                rejected_log_records=self.behaviour.rejected, error_message=self.behaviour.message
            )
            return ExportLogsServiceResponse(partial_success=partial)
        return ExportLogsServiceResponse()

    def take_metrics(self, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
        """The same with metrics, all of which it takes."""
        self._dawdle()
        self.metric_requests.append(request)
        return ExportMetricsServiceResponse()

    def _dawdle(self) -> None:
        if isinstance(self.behaviour, BlackHole):
            self.released.wait(60)
            raise Swallowed
        if isinstance(self.behaviour, Accept):
            self.released.wait(self.behaviour.seconds)


@contextmanager
def otlp_receiver(
    protocol: Literal["grpc", "http/protobuf"], *, tls: Certificate | None = None
) -> Iterator[OtlpReceiver]:
    """A receiver that accepts, on a port of its own."""
    receiver = OtlpReceiver(protocol, tls)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


@contextmanager
def refused_port() -> Iterator[int]:
    """A port that nothing listens on and nothing else gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


class _GrpcServer(TraceServiceServicer):
    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver
        self._server = grpc.server(
            ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)], compression=grpc.Compression.Gzip
        )
        method = grpc.unary_unary_rpc_method_handler(
            self.Export, ExportTraceServiceRequest.FromString, lambda answer: answer
        )
        logs_method = grpc.unary_unary_rpc_method_handler(
            self._export_logs, ExportLogsServiceRequest.FromString, lambda answer: answer
        )
        metrics_method = grpc.unary_unary_rpc_method_handler(
            self._export_metrics, ExportMetricsServiceRequest.FromString, lambda answer: answer
        )
        services = {
            "trace.v1.TraceService": method,
            "logs.v1.LogsService": logs_method,
            "metrics.v1.MetricsService": metrics_method,
        }
        self._server.add_generic_rpc_handlers(
            [
                grpc.method_handlers_generic_handler(
                    f"opentelemetry.proto.collector.{service}", {"Export": handler}
                )
                for service, handler in services.items()
            ]
        )
        address = f"127.0.0.1:{receiver.port}"
        if receiver.tls:
            pair = (receiver.tls.key.read_bytes(), receiver.tls.certificate.read_bytes())
            receiver.port = self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        else:
            receiver.port = self._server.add_insecure_port(address)
        self._server.start()

    def Export(self, request: ExportTraceServiceRequest, context: grpc.ServicerContext) -> bytes:
        misbehaved = self._misbehave(context)
        if misbehaved is not None:
            return misbehaved
        with _letting_go(context):
            return self._receiver.take(request).SerializeToString()

    def _export_logs(self, request: ExportLogsServiceRequest, context: grpc.ServicerContext) -> bytes:
        misbehaved = self._misbehave(context)
        if misbehaved is not None:
            return misbehaved
        with _letting_go(context):
            return self._receiver.take_logs(request).SerializeToString()

    def _export_metrics(self, request: ExportMetricsServiceRequest, context: grpc.ServicerContext) -> bytes:
        misbehaved = self._misbehave(context)
        if misbehaved is not None:
            return misbehaved
        with _letting_go(context):
            return self._receiver.take_metrics(request).SerializeToString()

    def _misbehave(self, context: grpc.ServicerContext) -> bytes | None:
        """Note the try; fail as told, or return what is answered in the place of an answer."""
        receiver = self._receiver
        receiver.headers.append({str(key): str(value) for key, value in context.invocation_metadata()})
        told = receiver.behaviour
        if isinstance(told, Fail):
            if told.retry_after is not None:
                detail = AnyMessage()
                detail.Pack(RetryInfo(retry_delay=Duration(seconds=int(told.retry_after))))
                status = Status(code=told.grpc.value[0], message=told.message, details=[detail])
                context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
            context.abort(told.grpc, told.message)
        return told.body if isinstance(told, Garbage) else None

    def stop(self) -> None:
        self._server.stop(0).wait(5)


@contextmanager
def _letting_go(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except Swallowed:
        context.abort(grpc.StatusCode.UNAVAILABLE, "let go")


class _HttpServer:
    def __init__(self, receiver: OtlpReceiver) -> None:
        handler = type("Handler", (_HttpHandler,), {"receiver": receiver})
        self._server = _HttpListener(("127.0.0.1", receiver.port), handler)
        if receiver.tls:
            self._server.socket = receiver.tls.server_context().wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        receiver.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join(5)


class _HttpListener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def drop_connections(self) -> None:
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no fault of the receiver."""


class _HttpHandler(BaseHTTPRequestHandler):
    receiver: OtlpReceiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        try:
            self._post()
        except Swallowed:
            self.close_connection = True

    def _post(self) -> None:
        receiver, told = self.receiver, self.receiver.behaviour
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
        receiver.paths.append(self.path)
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        match told:
            case Fail():
                status = Status(message=told.message).SerializeToString()
                headers = {"Retry-After": told.retry_after} if told.retry_after is not None else {}
                self._answer(told.http, status, headers)
            case Redirect():
                self._answer(307, b"", {"Location": told.location})
            case Garbage():
                self._answer(200, told.body, {})
            case _ if self.path.endswith("/v1/logs"):
                logs_answer = receiver.take_logs(ExportLogsServiceRequest.FromString(body))
                self._answer(200, logs_answer.SerializeToString(), {})
            case _ if self.path.endswith("/v1/metrics"):
                metrics_answer = receiver.take_metrics(ExportMetricsServiceRequest.FromString(body))
                self._answer(200, metrics_answer.SerializeToString(), {})
            case _:
                answer = receiver.take(ExportTraceServiceRequest.FromString(body))
                self._answer(200, answer.SerializeToString(), {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        with suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Type": "application/x-protobuf", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
