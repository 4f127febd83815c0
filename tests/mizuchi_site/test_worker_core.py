"""The core that a worker's threads keep to."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

from mizuchi_site.server.core import Core, busy_seconds
from tests.mizuchi_site.serving import Server, head, read_answer

MIB = 1024 * 1024
CORES = sorted(os.sched_getaffinity(0))

two_cores = pytest.mark.skipif(len(CORES) < 2, reason="there is one core to run on")


class Machine:
    """Cores 0, 1, ... as ``/proc/stat`` tells of them, our process and the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
        self.worked = dict.fromkeys(range(cores), 100.0)
        self.ours = self.now = 0.0
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
        monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None)
        clocks = SimpleNamespace(process_time=lambda: self.ours, monotonic=lambda: self.now)
        monkeypatch.setattr("mizuchi_site.server.core.time", clocks)
        monkeypatch.setattr("mizuchi_site.server.core.random", SimpleNamespace(random=lambda: 0.0))

    def busy(self) -> dict[int, float]:
        return dict(self.worked)

    def passes(self, *worked: float, ours: float = 0.0) -> None:
        """Five seconds, in which each core worked so many, we so many of them."""
        self.now += 5.0
        self.ours += ours
        for core, seconds in enumerate(worked):
            self.worked[core] += seconds


@pytest.mark.parametrize(
    ("number", "worked", "ours", "expected"),
    [
        pytest.param(1, (5.0, 1.0), 5.0, 0, id="busy with our own work"),
        pytest.param(1, (5.0, 1.0), 2.0, 1, id="busy with the work of others"),
        pytest.param(1, (5.0, 4.5), 1.0, 0, id="nowhere is it better"),
        pytest.param(1, (3.0, 2.0), 0.0, 0, id="a little better is not worth it"),
        pytest.param(2, (4.0, 5.0, 0.0), 1.0, 2, id="to the core with most time"),
        pytest.param(4, (5.0, 0.0, 0.0), 5.0, 0, id="more workers than cores"),
    ],
)
def test_moves_away_from_others(
    monkeypatch: pytest.MonkeyPatch, number: int, worked: tuple[float, ...], ours: float, expected: int
) -> None:
    machine = Machine(monkeypatch, len(worked))
    core = Core(number, machine.busy)
    machine.passes(*worked, ours=ours)
    core.reconsider()
    assert core.current == expected
    machine.passes(*[0.0] * len(worked))
    core.reconsider()
    assert core.current == expected


def test_stays_where_the_machine_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, 2)
    core = Core(2, dict)
    core.reconsider()
    assert core.current == 1


def test_reads_the_machines_statistics() -> None:
    seconds = busy_seconds()
    assert set(CORES) <= set(seconds)
    assert all(value > 0 for value in seconds.values())


@two_cores
def test_is_told_and_does_no_harm_where_it_is_forbidden(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    core = Core(1)
    core.gather()
    core.leave()
    core.come_back()
    assert "small uploads take more CPU" in caplog.text
    assert sorted(os.sched_getaffinity(0)) == CORES


@two_cores
def test_threads_of_a_worker_share_a_core() -> None:
    with Server(workers=2) as server:
        server.wait_for(r"Worker \d+ ready", count=2)
        server.get("/readyz")
        kept = {
            (int(pid), tuple(sorted(os.sched_getaffinity(int(task)))))
            for line in server.log
            if "ready (pid" in line
            for pid in [line.partition("pid ")[2].rstrip(")\n")]
            for task in os.listdir(f"/proc/{pid}/task")
        }
        cores = [cores for _, cores in kept]
    assert len(kept) == 2, "every thread of a worker keeps to the same cores"
    assert all(len(each) == 1 for each in cores)
    assert len(set(cores)) == 2, "the workers have different ones"


@two_cores
def test_a_big_body_may_use_every_core() -> None:
    with Server() as server, server.connect() as client:
        answers = []
        for length in (4 * MIB, 4 * MIB + 1, 0):
            client.sendall(head("/cores", length) + bytes(length))
            answers.append(json.loads(read_answer(client).rpartition(b"\r\n")[2]))
    assert [len(cores) for cores in answers] == [1, len(CORES), 1]
