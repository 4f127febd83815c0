"""Forks, several processes on one spool, and a process that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.otlp_receiver import Accept, BlackHole, Fail, OtlpReceiver, otlp_receiver
from tests.servers.scripted import Peer, scripted_server
from tests.tracing_app.exporting.export_setup import (
    Scripted,
    assert_nothing_unaccounted,
    quick,
    real_worker,
    scripted_worker,
    towards,
    until,
)
from tests.tracing_app.exporting.otlp_samples import trace_of
from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.http_transport import HttpTransport
from tracing_app.exporting.transport import Accepted

PROGRAM = Path(__file__).with_name("export_program.py")
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver("http/protobuf") as made:
        yield made


def forked(child: Callable[[], bool]) -> int:
    """Run it in a fork of this process; its exit status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if child() else 2
        finally:
            os._exit(status)
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -1


def test_a_child_exports_its_own_traces_and_the_parent_its_own(
    receiver: OtlpReceiver, tmp_path: Path
) -> None:
    worker = real_worker(quick(towards(receiver), tmp_path, delay=60, batch=512))
    worker.offer(trace_of(1, 4))
    assert worker.flush(3)
    for number in range(2, 11):
        worker.offer(trace_of(number, 4))

    def child() -> bool:
        for number in range(101, 106):
            worker.offer(trace_of(number, 4))
        flushed = worker.flush(5)
        stats = assert_nothing_unaccounted(worker)
        return flushed and stats.spans_exported == stats.spans_offered == 20 and worker.shutdown(3)

    assert forked(child) == 0
    assert worker.flush(3)
    assert assert_nothing_unaccounted(worker).spans_exported == 40
    assert sorted(receiver.trace_ids()) == [*range(1, 11), *range(101, 106)]
    assert len(receiver.spans()) == 60
    assert worker.shutdown(3)


def test_a_fork_while_the_lock_is_held_leaves_the_child_working(receiver: OtlpReceiver) -> None:
    worker = real_worker(quick(towards(receiver)))
    worker.offer(trace_of(1, 4))
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with worker._lock:
            held.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)

    def child() -> bool:
        worker.offer(trace_of(2, 4))
        return worker.flush(3) and worker.shutdown(3)

    assert forked(child) == 0
    release.set()
    holder.join()
    assert worker.shutdown(3)
    assert sorted(receiver.trace_ids()) == [1, 2]


def test_a_fork_in_the_middle_of_a_try_and_of_a_replay(receiver: OtlpReceiver, tmp_path: Path) -> None:
    before = scripted_worker(quick(spool=tmp_path), Scripted())
    before._transport.hold.clear()  # type: ignore[attr-defined]
    before.offer(trace_of(1, 8))
    assert before.shutdown(0.2)
    receiver.behaviour = BlackHole()
    worker = real_worker(quick(towards(receiver, timeout_seconds=3.0), tmp_path))
    worker.start()
    until(lambda: receiver.tries == 1)

    def child() -> bool:
        stats = worker.stats()
        return stats.in_flight_spans == 0 and stats.spans_offered == 0 and worker.shutdown(3)

    assert forked(child) == 0
    receiver.behaviour = Accept()
    receiver.released.set()
    until(lambda: worker.stats().spans_exported == 8)
    assert worker.stats().spool.files == 0
    assert worker.shutdown(3)


def test_a_child_opens_a_connection_of_its_own() -> None:
    def script(peer: Peer, number: int) -> None:
        while peer.read_request()[0]:
            peer.answer(headers="")

    with scripted_server(script) as server:
        transport = HttpTransport(OtlpConfig(server.endpoint, "http/protobuf"))
        assert transport.send(b"", 3) == Accepted()
        assert forked(lambda: transport.send(b"", 3) == Accepted()) == 0
        assert transport.send(b"", 3) == Accepted()
        assert server.connections == 2
        transport.close()


def test_a_grpc_child_of_a_parent_that_has_not_sent_yet(tmp_path: Path) -> None:
    """As under a pre-forking server: in a process of its own, since this one has used gRPC."""
    with otlp_receiver("grpc") as receiver:
        ended = subprocess.run(
            [sys.executable, str(PROGRAM), "fork", receiver.endpoint, "grpc", str(tmp_path)],
            cwd=REPOSITORY,
            timeout=60,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert len(receiver.spans()) == 3 * 40


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_processes_share_a_spool_and_replay_each_request_once(protocol: str, tmp_path: Path) -> None:
    with otlp_receiver(protocol) as receiver:  # type: ignore[arg-type]
        receiver.behaviour = Fail()
        programs = [
            subprocess.Popen(
                [
                    sys.executable,
                    str(PROGRAM),
                    "outage",
                    receiver.endpoint,
                    protocol,
                    str(tmp_path),
                    str(first),
                ],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for first in (1, 1001)
        ]
        for program in programs:
            assert program.stdout
            assert program.stdout.readline() == "offered 400\n"
        spool = scripted_worker(quick(spool=tmp_path), Scripted())
        until(lambda: spool.stats().spool.spans == 800, 20)
        receiver.behaviour = Accept()
        until(lambda: spool.stats().spool.files == 0, 20)
        exported = 0
        for program in programs:
            output, _ = program.communicate("end\n", timeout=20)
            exported += int(output.split()[-1])
            assert program.returncode == 0
        assert exported == 800
        assert len(receiver.spans()) == 800
        assert sorted(receiver.trace_ids()) == [*range(1, 101), *range(1001, 1101)]


def test_what_a_killed_process_had_spooled_is_replayed_by_another(tmp_path: Path) -> None:
    with otlp_receiver("http/protobuf") as receiver:
        receiver.behaviour = Fail()
        program = subprocess.Popen(
            [sys.executable, str(PROGRAM), "outage", receiver.endpoint, "http/protobuf", str(tmp_path), "1"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        worker = real_worker(quick(towards(receiver), tmp_path))
        until(lambda: worker.stats().spool.spans == 400, 20)
        program.kill()
        program.communicate()
        receiver.behaviour = Accept()
        worker.start()
        until(lambda: worker.stats().spans_exported == 400, 20)
        assert worker.stats().spool.files == 0
        assert sorted(receiver.trace_ids()) == list(range(1, 101))
        assert worker.shutdown(3)
