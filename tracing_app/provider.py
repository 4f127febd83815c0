"""Begins and ends tracing in this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tracing_app.config import TracingConfig

if TYPE_CHECKING:
    from tracing_app.assembly import Tracing
    from tracing_app.exporting.stats import ExportStats


class _Process:
    """Tracing begins once in each process; a forked child begins its own."""

    pid = 0
    tracing: Tracing | None = None


def init_tracing(config: TracingConfig) -> Tracing | None:
    """Begin tracing, or return what has begun. None when there is nowhere to export to: then the SDK is not
    even imported and every stage is a no-op."""
    if _Process.pid != os.getpid():
        _Process.pid, _Process.tracing = os.getpid(), _begin(config)
    return _Process.tracing


def current_tracing() -> Tracing | None:
    """What has begun in this process; None when nothing is recorded."""
    return _Process.tracing if _Process.pid == os.getpid() else None


def export_stats() -> ExportStats | None:
    """What became of this process's spans so far; None when nothing is exported."""
    tracing = current_tracing()
    return None if tracing is None else tracing.worker.stats()


def _begin(config: TracingConfig) -> Tracing | None:
    if config.export is None and config.store is None:
        return None
    from tracing_app.assembly import begin

    return begin(config)
