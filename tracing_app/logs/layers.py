"""The log as Django's setting ``LOGGING``, for ``dictConfig``: every layer hangs on the root logger."""

from __future__ import annotations

import logging
import logging.config
from typing import Any

from .config import LoggingConfig
from .console_lines import ConsoleFormatter
from .json_lines import JsonFormatter
from .page_records import WithoutClientText
from .trace_context import TraceContextFilter


class WithoutTraceback(logging.Filter):
    """For loggers whose records say everything in their message."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


def configure_logging(settings: dict[str, Any]) -> None:
    """What ``LOGGING_CONFIG`` names. Python's warnings become records too, of ``py.warnings``: or they would
    stand between lines of JSON."""
    logging.config.dictConfig(settings)
    logging.captureWarnings(True)


def logging_settings(config: LoggingConfig) -> dict[str, Any]:
    """What ``LOGGING`` is for this configuration."""
    handlers = _handlers(config)
    named = {name: {"level": level} for name, level in config.levels.loggers.items() if name != "root"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "trace_context": {"()": TraceContextFilter},
            "without_traceback": {"()": WithoutTraceback},
            "without_client_text": {"()": WithoutClientText},
        },
        "formatters": {"line": {"()": JsonFormatter if config.format == "json" else ConsoleFormatter}},
        "handlers": handlers,
        "root": {
            "handlers": list(handlers),
            "level": config.levels.loggers.get("root", logging.WARNING),
        },
        "loggers": _merged(_own(config), _DJANGO, named),
    }


# Django brings handlers of its own, which would print records a second time, in its format. Anybody can
# send a wrong Host header: that is no fault to be traced back.
_DJANGO: dict[str, dict[str, Any]] = {
    "django": {"handlers": [], "propagate": True},
    "django.server": {"handlers": [], "propagate": True},
    "django.security.DisallowedHost": {"filters": ["without_traceback"]},
}


def _own(config: LoggingConfig) -> dict[str, dict[str, Any]]:
    default = config.levels.default
    level = config.level.upper() if default is None else default
    return {name: {"level": level} for name in config.loggers}


def _merged(*parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Loggers by name, each with the keys of all parts, the last one's values."""
    merged: dict[str, dict[str, Any]] = {}
    for part in parts:
        for name, keys in part.items():
            merged[name] = {**merged.get(name, {}), **keys}
    return merged


def _handlers(config: LoggingConfig) -> dict[str, dict[str, Any]]:
    """The layers that are on; with none, one that is silent (without any, logging prints warnings)."""
    handlers: dict[str, dict[str, Any]] = {}
    if config.console:
        handlers["console"] = {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["trace_context", "without_client_text"],
        }
    if config.export is not None:
        handlers["otlp"] = {
            "()": "tracing_app.logs.otlp_handler.OtlpHandler",
            "config": config.export,
            "filters": ["trace_context", "without_client_text"],
        }
    return handlers or {"silent": {"class": "logging.NullHandler"}}
