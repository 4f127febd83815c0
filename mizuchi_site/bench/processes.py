"""What processes use: CPU time and memory, as Linux counts them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_CPU_CLOCK = 2


def children_of(pid: int) -> list[int]:
    """The processes that this one started and that are there."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time of all their threads, also of those that have ended, to the nanosecond.

    Each process has a clock of its own (``clock_getcpuclockid(3)``); that of ``stat`` has 10 ms. Raises
    OSError for a process that is gone: what it used is not known any more.
    """
    return sum(time.clock_gettime_ns((~pid << 3) | _CPU_CLOCK) for pid in pids) / 1e9


def resident_bytes(pid: int) -> int:
    """The resident set of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def reset_peak(pid: int) -> None:
    """Let ``peak_bytes`` begin at what the process holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_bytes(pid: int) -> int:
    """The greatest resident set of a process since ``reset_peak``."""
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(peak) * 1024
