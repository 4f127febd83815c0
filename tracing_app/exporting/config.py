"""The values that exporting is configured with. Times are seconds, sizes bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .endpoint import Protocol, check_headers, parse_endpoint


@dataclass(frozen=True, slots=True)
class OtlpConfig:
    """The collector. ``timeout_seconds`` bounds one try; ``is_full_url``: post to the URL's own path.
    ``compression`` ``auto`` is gzip, but for a collector on this machine none: there it costs more than the
    bytes do.

    Raises:
        ValueError: an endpoint or header that cannot be right.
    """

    endpoint: str
    protocol: Protocol = "grpc"
    timeout_seconds: float = 3.0
    compression: Literal["auto", "gzip", "none"] = "auto"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca_file: Path | None = None
    is_full_url: bool = False

    def __post_init__(self) -> None:
        parse_endpoint(self.endpoint, self.protocol, is_full_url=self.is_full_url)
        check_headers(self.headers, self.protocol)

    @property
    def is_compressed(self) -> bool:
        """Whether requests are sent with gzip."""
        if self.compression == "auto":
            return not parse_endpoint(self.endpoint, self.protocol, is_full_url=self.is_full_url).is_loopback
        return self.compression == "gzip"


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """The queue's bounds, and when a batch is sent: when it is full or after the delay."""

    max_queue_spans: int = 2048
    max_queue_bytes: int = 16 * 1024 * 1024
    scheduled_delay_seconds: float = 5.0
    max_export_batch_size: int = 512
    # Receivers of gRPC refuse messages over 4 MiB unless told otherwise.
    max_export_batch_bytes: int = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """Backoff between tries: full jitter up to a ceiling that doubles, all tries within ``total_seconds``."""

    initial_seconds: float = 0.5
    max_seconds: float = 5.0
    total_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """Opens after so many failures on end, tries again after ``reset_seconds``."""

    failures: int = 5
    reset_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class SpoolConfig:
    """Requests kept on disk while the collector is away; ``replay_at_once`` are sent between live batches."""

    directory: Path
    max_bytes: int = 64 * 1024 * 1024
    replay_at_once: int = 4


@dataclass(frozen=True, slots=True)
class ExportConfig:
    """All of it. Without ``otlp`` traces go to the console; without ``spool`` an outage loses traces."""

    otlp: OtlpConfig | None = None
    batch: BatchConfig = field(default_factory=BatchConfig)
    retry: RetryConfig = field(default_factory=RetryConfig)
    breaker: BreakerConfig = field(default_factory=BreakerConfig)
    spool: SpoolConfig | None = None
