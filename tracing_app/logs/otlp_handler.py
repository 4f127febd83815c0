"""The layer of logging that sends records to a collector."""

from __future__ import annotations

import logging
import threading

from tracing_app.exporting.factory import build_transport
from tracing_app.exporting.signal import LOGS
from tracing_app.exporting.worker import ExportWorker
from tracing_app.resource import build_resource

from .config import LogExportConfig
from .exported_record import LogEntry, RecordExport
from .log_encoder import LogEncoder
from .log_export import LogExport, use_log_export


class OtlpHandler(logging.Handler):
    """Queues what may leave the machine. Never blocks, never raises, and never feeds on itself.

    What the export itself logs, on its thread or while it takes a record, goes to the other layers only.
    """

    def __init__(self, config: LogExportConfig) -> None:
        super().__init__()
        self._records = RecordExport(clean=config.clean_loggers, own=config.own_loggers)
        self._export = LogExport(_worker(config))
        use_log_export(self._export)
        self._taking = threading.local()

    def createLock(self) -> None:  # noqa: N802 - the name is logging's
        """None: the queue has its own, and nobody is to wait here while the process ends."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        is_wanted = bool(self.filter(record))
        if is_wanted:
            self.emit(record)
        return is_wanted

    def emit(self, record: logging.LogRecord) -> None:
        if record.threadName == LOGS.thread_name or getattr(self._taking, "is_busy", False):
            return
        self._taking.is_busy = True
        try:
            self._export.offer(self._records.entry(record))
        finally:
            self._taking.is_busy = False

    def close(self) -> None:
        """Called when the process ends, or when logging is configured anew."""
        self._taking.is_busy = True
        try:
            self._export.close()
        finally:
            self._taking.is_busy = False
        super().close()


def _worker(config: LogExportConfig) -> ExportWorker[LogEntry]:
    """Connects to nothing yet, and has no thread before the first record."""
    encoder = LogEncoder(build_resource(config.tracing))
    return ExportWorker(config.export, build_transport(config.export.otlp, LOGS), encoder)
