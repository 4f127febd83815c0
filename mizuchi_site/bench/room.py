"""Whether what a benchmark stores fits, seen before it fills a disk or the memory of a machine in use."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .failures import BenchmarkFailed
from .sizes import size_name

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - where benchmarks wait for no disk


class NoRoom(BenchmarkFailed):
    """What it stores does not fit."""


def need_room(folder: Path, size: int) -> None:
    """Raises NoRoom when so many bytes do not fit there."""
    if _free_bytes(folder) < size:
        raise NoRoom(f"{size_name(size)} do not fit into {folder}: name another place with --folder")


def _free_bytes(folder: Path) -> int:
    free = shutil.disk_usage(folder).free
    if folder.is_relative_to(MEMORY_FOLDER):
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        return min(free, int(found[1]) * 1024) if found else free
    return free
