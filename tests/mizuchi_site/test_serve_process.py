"""Workers that die, and the end of the server."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from mizuchi_site.server.backoff import Backoff
from mizuchi_site.server.drain import DrainFlag
from mizuchi_site.server.listening import BindAddress, BindError, listen
from mizuchi_site.server.worker import WorkerOptions
from tests.mizuchi_site.serving import ROOT, Server, head, read_answer
from tracing_app.metrics.board import OpenedBoard


def worker_of(server: Server) -> int:
    return int(server.get("/readyz").rpartition(b"\r\n")[2])


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.02)


def wait_until_refused(server: Server, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            server.connect().close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)
    raise AssertionError("somebody still listens")


@pytest.mark.parametrize(
    ("lifetimes", "delays"),
    [
        pytest.param([60], [0], id="once"),
        pytest.param([60, 1, 1, 1], [0, 0.1, 0.2, 0.4], id="again and again"),
        pytest.param([0] * 12, [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5, 5], id="for ever"),
        pytest.param([1, 1, 60, 1], [0, 0.1, 0, 0.1], id="settled between"),
    ],
)
def test_backoff(lifetimes: list[float], delays: list[float]) -> None:
    backoff = Backoff()
    assert [backoff.after(lifetime) for lifetime in lifetimes] == pytest.approx(delays)


def test_a_killed_worker_is_replaced_each_time() -> None:
    with Server() as server:
        for count in range(1, 4):
            os.kill(worker_of(server), signal.SIGKILL)
            server.wait_for(r"died \(pid \d+, killed by SIGKILL\)", count=count)
            assert server.get("/readyz").startswith(b"HTTP/1.1 200 "), "a client waits, and is not refused"
        code, _ = server.stop()
        assert code == 0


def test_an_upload_outlives_the_death_of_another_worker() -> None:
    with Server(workers=2) as server, server.connect() as client:
        server.wait_for("Worker [12] ready", count=2)
        pids = {int(server.wait_for(rf"Worker {number} ready \(pid (\d+)\)")) for number in (1, 2)}
        client.sendall(b"GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n")
        mine = int(read_answer(client).rpartition(b"\r\n")[2])
        client.sendall(head("/upload", 10) + b"hello")
        (other,) = pids - {mine}
        os.kill(other, signal.SIGKILL)
        server.wait_for(rf"died \(pid {other}")
        client.sendall(b"world")
        assert read_answer(client).endswith(f"{mine} 10".encode())


def test_the_server_gives_up_when_no_worker_can_start() -> None:
    server = Server(application="tests.mizuchi_site.serving:nothing")
    try:
        assert server.process.wait(10) == 1
        server.wait_for("cannot load tests.mizuchi_site.serving:nothing")
        server.wait_for("No worker could start")
    finally:
        server.__exit__()


def test_workers_end_with_a_killed_main_process() -> None:
    with Server() as server:
        worker = worker_of(server)
        server.process.kill()
        server.process.wait()
        wait_until_gone(worker)
        wait_until_refused(server)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_an_idle_server_ends_soon(number: signal.Signals) -> None:
    """Also with a kept connection, and one that never sent anything."""
    with Server() as server, server.connect() as kept, server.connect():
        kept.sendall(head("/upload", 2) + b"ok")
        read_answer(kept)
        worker = worker_of(server)
        code, seconds = server.stop(number)
        assert (code, seconds < 2) == (0, True)
        wait_until_gone(worker)


def test_draining_lets_an_upload_finish_and_says_so() -> None:
    with Server(drain_seconds=8.0) as server, server.connect() as uploading, server.connect() as kept:
        uploading.sendall(head("/upload", 10))
        kept.sendall(head("/upload", 2) + b"ok")
        read_answer(kept)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("draining")
        kept.sendall(b"GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n")
        for answer in (read_answer(kept), server.get("/readyz")):
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"connection: close" in answer
        for _ in range(10):
            time.sleep(0.4)
            uploading.sendall(b"x")
        with pytest.raises(OSError, match="refused"):
            server.connect()
        assert read_answer(uploading).endswith(b" 10")
        assert server.process.wait(2) == 0


def test_an_upload_that_outlasts_the_drain_is_cut_and_answered() -> None:
    with Server(drain_seconds=2.0) as server, server.connect() as client:
        client.sendall(head("/upload", 1000))
        sending = threading.Thread(target=trickle, args=(client,))
        sending.start()
        time.sleep(0.2)
        code, seconds = server.stop()
        sending.join()
        assert code == 0
        assert 1.9 < seconds < 3.5
        assert b"IncompleteBody" in read_answer(client)


def trickle(client: socket.socket) -> None:
    try:
        for _ in range(100):
            client.sendall(b"x")
            time.sleep(0.1)
    except OSError:
        return


def test_a_second_signal_stops_at_once() -> None:
    with Server(drain_seconds=30.0, body_stall_seconds=30.0) as server, server.connect() as client:
        client.sendall(head("/upload", 10) + b"hello")
        time.sleep(0.2)
        worker = int(server.wait_for(r"Worker 1 ready \(pid (\d+)\)"))
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("draining")
        _, seconds = server.stop()
        assert seconds < 1
        wait_until_gone(worker)


@pytest.mark.parametrize("text", ["8080", "host:", ":80", "h:80x", "h:70000", "::1:80", ""])
def test_bad_addresses(text: str) -> None:
    with pytest.raises(BindError, match="Bad address"):
        BindAddress.parse(text)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:80", "::1", 80), ("localhost:1", "localhost", 1)],
)
def test_good_addresses(text: str, host: str, port: int) -> None:
    address = BindAddress.parse(text)
    assert (address.host, address.port, str(address)) == (host, port, text)


@pytest.mark.parametrize(
    ("host", "says"),
    [("127.0.0.1", "Address already in use"), ("no.such.host.invalid", "Cannot listen on no.such")],
)
def test_an_address_that_cannot_be_listened_on(host: str, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(BindError, match=says):
        listen(BindAddress(host, taken.getsockname()[1]), backlog=1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--bind", "nowhere"], "CommandError: Bad address 'nowhere'", id="bad address"),
        pytest.param(["--bind", "taken"], "Address already in use", id="port in use"),
        pytest.param(["--workers", "0"], "CommandError: --workers must be 1 or more", id="no workers"),
    ],
)
def test_the_command_says_in_one_line_why_it_cannot_start(arguments: list[str], says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [
                sys.executable,
                "manage.py",
                "serve",
                *(f"127.0.0.1:{port}" if a == "taken" else a for a in arguments),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_worker_ends_with_its_main_process_whose_news_nobody_read() -> None:
    """Killed between the worker's READY and its reading, the main process leaves a reset, not an end."""
    ours, theirs = socket.socketpair()
    with listen(BindAddress("127.0.0.1", 0), backlog=8) as listener, theirs:
        worker = start_worker_on(listener, theirs)
        try:
            assert select.select([ours], [], [], 20)[0], "the worker says that it is ready"
            ours.close()
            assert worker.wait(5) == 1
        finally:
            worker.kill()
            worker.wait()


def start_worker_on(listener: socket.socket, channel: socket.socket) -> subprocess.Popen[bytes]:
    with DrainFlag() as drain, OpenedBoard(1) as board:
        options = WorkerOptions(
            number=1,
            application="tests.mizuchi_site.serving:application",
            threads=1,
            connections=8,
            stall_seconds=5,
            listener_fd=listener.fileno(),
            drain_fd=drain.fileno(),
            board_fd=board.fileno(),
            channel_fd=channel.fileno(),
        )
        return subprocess.Popen(
            [sys.executable, "-m", "mizuchi_site.server.worker", options.to_argument()],
            pass_fds=(options.listener_fd, options.drain_fd, options.board_fd, options.channel_fd),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
