"""What a webhook is told by the configuration. Values only, validated before."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Format = Literal["s3", "cloudevents"]
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """When a delivery that failed is tried again, and when it is given up."""

    initial_seconds: float = 5.0
    max_seconds: float = 6 * 3600.0
    max_attempts: int = 16
    max_age_seconds: float = 72 * 3600.0

    def delay_seconds(self, attempts: int, draw: Callable[[float, float], float] = random.uniform) -> float:
        """How long to wait after so many tries: twice as long each time, and up to half of it less by lot,
        so that those that failed together do not come back together."""
        whole = min(self.initial_seconds * 2.0 ** min(attempts - 1, 60), self.max_seconds)
        return draw(whole / 2, whole)

    def is_over(self, attempts: int, queued_at: datetime, next_at: datetime) -> bool:
        """Whether there is no next try: there were enough of them, or it would come too late."""
        return attempts >= self.max_attempts or next_at - queued_at > timedelta(seconds=self.max_age_seconds)


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Where events of a bucket go: those of ``events`` whose key has ``prefix`` and ``suffix``.

    ``events`` are names as payloads have them (``ObjectCreated:Put``). ``secrets`` all sign, so that a
    receiver may change from one to the next at its own time. ``concurrency``: tries at once, of one worker.
    """

    name: str
    url: str = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)
    format: Format = "cloudevents"
    events: frozenset[str] = frozenset()
    prefix: str = ""
    suffix: str = ""
    timeout_seconds: float = 10.0
    concurrency: int = 4
    ca_file: Path | None = None
    retry: RetrySchedule = field(default_factory=RetrySchedule)

    @property
    def host(self) -> str:
        """In lower case, IPv6 without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        url = urlsplit(self.url)
        return url.port or _PORTS[url.scheme]

    @property
    def is_tls(self) -> bool:
        return self.url.startswith("https:")

    @property
    def target(self) -> str:
        """Path and query, as they are sent."""
        url = urlsplit(self.url)
        return f"{url.path or '/'}{'?' if url.query else ''}{url.query}"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long deliveries are kept after their end."""

    delivered_seconds: float = 7 * 86400.0
    dead_seconds: float = 30 * 86400.0
