from __future__ import annotations

import subprocess
import sys

from uploads.worker import is_dead, worker_name


def test_this_process_is_alive() -> None:
    assert not is_dead(worker_name())


def test_a_process_that_ended_is_dead_and_one_that_runs_is_not() -> None:
    code = "from uploads.worker import worker_name; print(worker_name(), flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    name = child.stdout.readline().strip()

    assert not is_dead(name)
    child.communicate("\n")
    assert is_dead(name)


def test_a_reused_pid_is_another_process() -> None:
    host, pid, start = worker_name().split(":")

    assert is_dead(f"{host}:{pid}:{int(start) - 1}")


def test_of_other_hosts_nothing_is_known() -> None:
    assert not is_dead("elsewhere:1:1")
    assert not is_dead("nonsense")
