"""Builds the export path from its configuration."""

from __future__ import annotations

from .config import OtlpConfig
from .http_transport import HttpTransport
from .transport import Transport


def build_transport(otlp: OtlpConfig) -> Transport:
    """The transport of the configured protocol. Connects to nothing yet."""
    if otlp.protocol == "http/protobuf":
        return HttpTransport(otlp)
    # gRPC's library costs 40 ms and 10 MB: only who uses it pays.
    from .grpc_transport import GrpcTransport

    return GrpcTransport(otlp)
