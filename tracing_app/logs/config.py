"""What the log is told at start. Values only, validated before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tracing_app.config import TracingConfig
from tracing_app.exporting.config import ExportConfig

from .levels import LogLevels

LogFormat = Literal["console", "json"]


@dataclass(frozen=True, slots=True)
class LogExportConfig:
    """The layer that sends records to a collector, under the resource that ``tracing`` describes.

    What ``clean_loggers`` and ``own_loggers`` are, ``exported_record`` says.
    """

    export: ExportConfig
    tracing: TracingConfig
    clean_loggers: tuple[str, ...] = ()
    own_loggers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """``level`` is the name of one, for ``loggers`` and those below them; other loggers tell of warnings and
    worse. ``levels`` go before both. Each layer may be on or off: the console, and an export (None: off)."""

    level: str
    loggers: tuple[str, ...]
    levels: LogLevels = field(default_factory=LogLevels)
    format: LogFormat = "console"
    console: bool = True
    export: LogExportConfig | None = None
