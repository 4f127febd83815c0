"""CPU time and memory of other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mizuchi_site.bench.processes import children_of, cpu_seconds, peak_bytes, reset_peak, resident_bytes

MIB = 1024 * 1024
THREAD_THAT_ENDS = """
import threading, time
def work():
    while time.thread_time() < 0.3:
        pass
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@contextmanager
def running(program: str) -> Iterator[int]:
    """Until it has printed a line; ends with the block."""
    waiting = f"{program}\nprint(flush=True)\ninput()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", waiting], **pipes) as process:  # type: ignore[call-overload]
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_the_time_of_threads_that_have_ended_counts() -> None:
    with running(THREAD_THAT_ENDS) as pid:
        assert 0.3 <= cpu_seconds([pid]) < 10
        assert cpu_seconds([pid, pid]) == pytest.approx(2 * cpu_seconds([pid]))


def test_a_process_that_is_gone_is_an_error() -> None:
    with running("") as pid:
        assert pid in children_of(os.getpid())
    with pytest.raises(OSError, match="Invalid argument"):
        cpu_seconds([pid])


def test_a_peak_is_seen_after_it() -> None:
    program = f"block = bytearray(b'x') * {64 * MIB}\ndel block"
    with running(program) as pid:
        resident = resident_bytes(pid)
        assert peak_bytes(pid) > resident + 32 * MIB
        reset_peak(pid)
        assert peak_bytes(pid) < resident + 32 * MIB
