"""Configures logging and logs: for tests, in a process of its own. Its argument is JSON:
``level``, ``filter``, ``format``, ``console``, ``otlp`` (endpoint, protocol), ``calls`` [logger, level]."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from tracing_app.config import TracingConfig
from tracing_app.exporting.config import BatchConfig, ExportConfig, OtlpConfig
from tracing_app.logs.config import LogExportConfig, LoggingConfig
from tracing_app.logs.layers import configure_logging, logging_settings
from tracing_app.logs.levels import LogLevels, parse_levels


def configure(told: dict[str, Any]) -> None:
    export = None
    if "otlp" in told:
        export = LogExportConfig(
            ExportConfig(OtlpConfig(*told["otlp"]), BatchConfig(scheduled_delay_seconds=60)),
            TracingConfig("logging-program"),
            own_loggers=("uploads", "mizuchi"),
        )
    settings = logging_settings(
        LoggingConfig(
            level=told.get("level", "info"),
            loggers=("uploads", "mizuchi", "django"),
            levels=parse_levels(told["filter"]) if told.get("filter") else LogLevels(),
            format=told.get("format", "console"),
            console=told.get("console", True),
            export=export,
        )
    )
    configure_logging(settings)


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    if told.get("as_django"):
        from django.utils.log import DEFAULT_LOGGING

        logging.config.dictConfig(DEFAULT_LOGGING)
    configure(told)
    for name, level in told["calls"]:
        logging.getLogger(name).log(getattr(logging, level.upper()), f"{level} of {name}")
    if told.get("warns"):
        warnings.warn("beware", stacklevel=1)
