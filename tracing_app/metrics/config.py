"""What measuring is told at start."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracing_app.exporting.config import OtlpConfig


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """``token``: who reads ``/metrics`` must present it; None: who reads it must be on this machine.
    ``otlp``: where they are sent, too, every ``push_seconds``."""

    is_enabled: bool = True
    token: str | None = field(default=None, repr=False)
    otlp: OtlpConfig | None = None
    push_seconds: float = 60.0
