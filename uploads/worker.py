"""Names of worker processes, by which it can be told later whether one is still alive."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

_ENDED = frozenset("ZX")


@lru_cache(maxsize=1)
def _name_of(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:{_start_time(pid)}"


def worker_name() -> str:
    """``host:pid:start``, unique for this process even when pids are reused."""
    return _name_of(os.getpid())


def is_dead(name: str) -> bool:
    """True only when that process ran on this host and surely is gone."""
    host, _, process = name.partition(":")
    pid, _, start = process.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return _start_time(int(pid)) != start


def _start_time(pid: int) -> str:
    """Clock ticks after boot at which the process began (``/proc/<pid>/stat``, field 22); "" when gone.

    One that ended stays there until its parent waits for it (state Z), which some never do.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in _ENDED else fields[19]
