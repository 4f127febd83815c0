"""What a benchmark ran on: figures without it say nothing."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from importlib.metadata import version
from pathlib import Path

from tracing_app.compiled import IS_COMPILED

from .nginx import nginx_version
from .postgres import postgres_version

_PACKAGES = ("django", "opentelemetry-sdk", "awscrt")


def machine_facts() -> dict[str, str]:
    """Processor, cores, memory, system, the load of the last minute, and versions, by name."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.processor() or "unknown",
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": _gibibytes(_field(Path("/proc/meminfo"), "MemTotal")),
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "nginx": nginx_version() or "not installed",
        "postgresql": postgres_version() or "not installed",
        **{name: version(name) for name in _PACKAGES},
        "tracing": "compiled" if IS_COMPILED else "not compiled",
    }


def _field(file: Path, name: str) -> str:
    try:
        found = re.search(rf"^{name}\s*:\s*(.+)$", file.read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found[1].strip() if found else ""


def _gibibytes(kibibytes: str) -> str:
    number = kibibytes.removesuffix("kB").strip()
    return f"{int(number) / 1024**2:.1f} GiB" if number.isdigit() else "unknown"
