"""OTLP over gRPC: the bytes go as they are, no message is built. Source: OTLP specification, "OTLP/gRPC"."""

from __future__ import annotations

import os
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from .config import OtlpConfig
from .endpoint import parse_endpoint
from .scrubbing import Scrubber
from .signal import TRACES, Signal
from .transport import USER_AGENT, Accepted, Outcome, Permanent, Retryable, read_answer

RETRYABLE_CODES: Final = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)

# Where the fault may lie with the way to the collector rather than with the collector.
_UNREACHED: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})

_OPTIONS: Final = (
    ("grpc.primary_user_agent", USER_AGENT),
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", 64 * 1024),
    # Channels of one process share connections otherwise, and a closed one's state with it.
    ("grpc.use_local_subchannel_pool", 1),
)


class GrpcTransport:
    """Its channel is made by the process that first sends.

    A channel that did not reach the collector is not used again. It would wait before it connects or
    resolves anew, longer each time, up to two minutes, and fail every call meanwhile: the one try of a
    half-open breaker would tell nothing.
    """

    def __init__(self, config: OtlpConfig, signal: Signal = TRACES) -> None:
        self._method = signal.grpc_method
        self._endpoint = parse_endpoint(config.endpoint, "grpc")
        self._compression = grpc.Compression.Gzip if config.is_compressed else None
        self._metadata = tuple((name.lower(), value) for name, value in config.headers)
        self._ca_file = config.ca_file
        # What the name says is a backoff is also the time that connecting may take.
        self._options = (*_OPTIONS, ("grpc.min_reconnect_backoff_ms", int(config.timeout_seconds * 1000)))
        self._scrub = Scrubber(config.headers)
        self._channel: grpc.Channel | None = None
        self._pid = 0

    def send(self, payload: bytes, deadline_seconds: float) -> Outcome:
        """Call Export; see ``Transport``."""
        try:
            answer = self._call(payload, deadline_seconds)
        except grpc.RpcError as error:
            if error.code() in _UNREACHED:
                self.close()
            return self._judge(error)
        except (OSError, ValueError) as error:
            return Retryable(self._scrub(f"no channel to {self._endpoint.authority}: {error}"))
        outcome = read_answer(answer)
        if isinstance(outcome, Accepted):
            return Accepted(outcome.rejected_spans, self._scrub(outcome.message))
        return outcome

    def close(self) -> None:
        """Close the channel; that of a parent process is left to the parent."""
        if self._channel and self._pid == os.getpid():
            self._channel.close()
        self._channel = None

    def _call(self, payload: bytes, deadline_seconds: float) -> bytes:
        if self._channel is None or self._pid != os.getpid():
            self._channel = self._open_channel()
            self._pid = os.getpid()
        export = self._channel.unary_unary(
            self._method, request_serializer=bytes, response_deserializer=bytes
        )
        return export(
            payload, timeout=deadline_seconds, metadata=self._metadata, compression=self._compression
        )

    def _open_channel(self) -> grpc.Channel:
        target = self._endpoint.authority
        if not self._endpoint.is_tls:
            return grpc.insecure_channel(target, options=self._options)
        roots = self._ca_file.read_bytes() if self._ca_file else None
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(roots), options=self._options)

    def _judge(self, error: grpc.RpcError) -> Outcome:
        code, details = error.code(), error.details() or ""
        reason = self._scrub(f"gRPC {code.name}: {_plainly(details, self._endpoint.authority)}")
        retry_after = _retry_after(error)
        if code in RETRYABLE_CODES:
            return Retryable(reason, retry_after)
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and retry_after is not None:
            return Retryable(reason, retry_after)
        return Permanent(reason)


def _plainly(details: str, where: str) -> str:
    """What the library says of TLS and DNS, in an operator's words."""
    lowered = details.lower()
    if "certificate_verify_failed" in lowered or "certificate verify failed" in lowered:
        return f"TLS: the certificate of {where} is not trusted: {details}"
    if "ssl_error" in lowered or "handshake" in lowered:
        return f"TLS with {where} failed: {details}"
    if "dns" in lowered or "name resolution" in lowered or "domain name" in lowered:
        return f"DNS: {where} does not resolve: {details}"
    return details


def _retry_after(error: grpc.RpcError) -> float | None:
    """``RetryInfo`` in the status details, when the collector sent one."""
    for entry in error.trailing_metadata() or ():
        if entry.key == "grpc-status-details-bin" and isinstance(entry.value, bytes):
            return _retry_delay(entry.value)
    return None


def _retry_delay(details: bytes) -> float | None:
    info = RetryInfo()
    try:
        for detail in Status.FromString(details).details:
            if detail.Unpack(info):
                return max(float(info.retry_delay.ToTimedelta().total_seconds()), 0.0)
    except (DecodeError, ValueError):
        return None
    return None
