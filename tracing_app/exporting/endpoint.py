"""Where an OTLP collector listens. Source: OpenTelemetry specification, "OTLP Exporter Configuration"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from .signal import LOGS, METRICS, TRACES, Signal

Protocol = Literal["grpc", "http/protobuf"]

GRPC_PORT, HTTP_PORT = 4317, 4318
_SIGNAL_PATHS = (TRACES.http_path, LOGS.http_path, METRICS.http_path)

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_METADATA_NAME = re.compile(r"[a-z0-9_.-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_OUR_HEADERS = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "host", "te", "transfer-encoding"}
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A collector's address; ``path`` is where a signal is posted, ``""`` for gRPC."""

    is_tls: bool
    host: str
    port: int
    path: str

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine, by its address or as ``localhost`` (RFC 6761, section 6.3)."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def authority(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(
    url: str, protocol: Protocol, *, is_full_url: bool = False, signal: Signal = TRACES
) -> Endpoint:
    """Read ``otlp.endpoint``.

    For HTTP the URL is a base, as in ``OTEL_EXPORTER_OTLP_ENDPOINT``: the signal's path (``/v1/traces``) is
    appended, or put in the place of a signal's path that is there already. With ``is_full_url``
    (``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT``) the path is kept for traces.

    Raises:
        ValueError: the URL cannot be an endpoint of that protocol; says what would be right.
    """
    parts = urlsplit(url)
    _check_form(url, parts)
    port = _port(parts, protocol)
    host = parts.hostname or ""
    if protocol == "grpc":
        if parts.path not in ("", "/"):
            raise ValueError(
                f"gRPC takes no path: write {parts.scheme}://{host}:{port}, or use http/protobuf"
            )
        return Endpoint(parts.scheme == "https", host, port, "")
    return Endpoint(
        parts.scheme == "https", host, port, _path(parts.path, is_full_url and signal is TRACES, signal)
    )


def check_headers(headers: Iterable[tuple[str, str]], protocol: Protocol) -> None:
    """See that each header can be sent. Values are never told: they may be credentials.

    Raises:
        ValueError: names the header and what is wrong with it.
    """
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"header {name!r}: not a name of a header")
        lowered = name.lower()
        if protocol == "grpc" and (not _METADATA_NAME.fullmatch(lowered) or lowered.endswith("-bin")):
            raise ValueError(
                f"header {name!r}: gRPC takes letters, digits, '_', '-', '.', and no '-bin' here"
            )
        if lowered in _OUR_HEADERS or lowered.startswith("grpc-"):
            raise ValueError(f"header {name!r}: is set by the exporter itself, remove it")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"header {name!r}: its value holds characters other than printable ASCII")


def _check_form(url: str, parts: SplitResult) -> None:
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("no http:// or https:// before the host: write for example http://collector:4317")
    if "@" in parts.netloc:
        raise ValueError("credentials in the URL: put them into headers, for example Authorization")
    if not parts.hostname or re.search(r"[\s\x00-\x1f]", url):
        raise ValueError("no host: write for example http://collector:4317")
    if parts.query or parts.fragment:
        raise ValueError("a query or fragment in the URL: an endpoint has neither")


def _port(parts: SplitResult, protocol: Protocol) -> int:
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port is not a number from 1 to 65535") from None
    if port is None and protocol == "grpc":
        raise ValueError(f"no port: gRPC collectors usually listen on {GRPC_PORT}")
    if port is None:
        return 443 if parts.scheme == "https" else 80
    if port == 0:
        raise ValueError("the port is not a number from 1 to 65535")
    if protocol == "grpc" and port == HTTP_PORT:
        raise ValueError(
            f"{HTTP_PORT} is the port of OTLP over HTTP: use {GRPC_PORT}, or protocol http/protobuf"
        )
    if protocol == "http/protobuf" and port == GRPC_PORT:
        raise ValueError(f"{GRPC_PORT} is the port of OTLP over gRPC: use {HTTP_PORT}, or protocol grpc")
    return port


def _path(path: str, is_full_url: bool, signal: Signal) -> str:
    if is_full_url:
        return path or "/"
    base = path.rstrip("/")
    for known in _SIGNAL_PATHS:
        base = base.removesuffix(known)
    return base + signal.http_path
