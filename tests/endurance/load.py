"""Many small uploads at once: ``python tests/endurance/load.py --help``.

Keeps ``--connections`` connections busy for ``--seconds`` and prints requests a second, the time of one,
and the gateway's CPU time for one. The client runs in processes of its own. Exits 1 when an upload failed,
has no STORED record, or the gateway's log says that the database was locked.
"""

from __future__ import annotations

import argparse
import re
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import cast

sys.path.insert(0, str(Path(__file__).parents[2]))

from authz.sigv4.signing import sign_headers
from tests.endurance.memory import BACKENDS, cpu_seconds_of, node_before
from tests.endurance.node import ACCESS_KEY_ID, Node
from tests.endurance.sending import UNSIGNED

CLIENTS = 2
BODY = b"x" * 1024
LOST = 0
HEAD = re.compile(rb"HTTP/1\.1 (\d+) .*?content-length: (\d+)\r\n.*?\r\n\r\n", re.DOTALL | re.IGNORECASE)
REQUEST_ID = re.compile(rb"x-amz-request-id: (\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run showed. ``milliseconds`` are those of each request, sorted."""

    seconds: float
    milliseconds: Sequence[float]
    cpu_seconds: float
    failures: int
    stored_records: int
    other_records: int
    was_locked: bool

    @property
    def is_clean(self) -> bool:
        is_recorded = self.stored_records == len(self.milliseconds) and not self.other_records
        return not self.failures and is_recorded and not self.was_locked

    def __str__(self) -> str:
        count = len(self.milliseconds)
        at = [self.milliseconds[int(count * share)] for share in (0.5, 0.99)]
        return (
            f"{count} uploads, {count / self.seconds:.0f}/s, p50 {at[0]:.1f} ms, p99 {at[1]:.1f} ms, "
            f"mean {statistics.fmean(self.milliseconds):.1f} ms, "
            f"{self.cpu_seconds / count * 1e6:.0f} us CPU each\n"
            f"{self.failures} failed, {self.stored_records} records STORED, {self.other_records} others, "
            f"{'the database was locked' if self.was_locked else 'never locked'}"
        )


class Connection:
    """One kept-alive connection with one request on its way."""

    def __init__(self, port: int, timeout_seconds: float | None = None) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout_seconds)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._answer = b""

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, request: bytes) -> None:
        self.began = time.perf_counter()
        self._answer = b""
        self.sock.sendall(request)

    def receive(self) -> int | None:
        """Take what came: the status once the answer is whole, LOST when the connection ended."""
        data = self.sock.recv(65536)
        if not data:
            return LOST
        self._answer += data
        head = HEAD.match(self._answer)
        is_whole = head is not None and len(self._answer) >= head.end() + int(head[2])
        return int(head[1]) if head and is_whole else None

    @property
    def request_id(self) -> str:
        """Of the answer received last."""
        found = REQUEST_ID.search(self._answer)
        return found[1].decode() if found else ""


@dataclass(frozen=True, slots=True)
class Client:
    """One process of the client: its connections, and what it signs with."""

    number: int
    port: int
    secret: str
    bucket: str
    connections: int
    seconds: float

    def run(self) -> tuple[list[float], int]:
        """The milliseconds of each request that was answered with 200, and how many were not."""
        requests = self.requests()
        took: list[float] = []
        failures = 0
        deadline = time.monotonic() + self.seconds
        open_connections = {Connection(self.port) for _ in range(self.connections)}
        with DefaultSelector() as selector:
            for connection in open_connections:
                selector.register(connection, EVENT_READ)
                connection.send(next(requests))
            while open_connections:
                for key, _ in selector.select():
                    connection = cast(Connection, key.fileobj)
                    status = connection.receive()
                    if status is None:
                        continue
                    if status == 200:
                        took.append((time.perf_counter() - connection.began) * 1e3)
                    else:
                        failures += 1
                    if status == LOST or time.monotonic() > deadline:
                        selector.unregister(connection)
                        connection.sock.close()
                        open_connections.remove(connection)
                    else:
                        connection.send(next(requests))
        return took, failures

    def requests(self) -> Iterator[bytes]:
        """Signed PUTs of one small body, each of a key of its own."""
        number = 0
        while True:
            number += 1
            path = f"/{self.bucket}/{self.number}/{number % 100}/{number}"
            headers = {"host": f"127.0.0.1:{self.port}", "content-length": str(len(BODY))}
            headers |= sign_headers(
                method="PUT",
                encoded_path=path,
                query=[],
                headers=headers,
                payload_hash=UNSIGNED,
                access_key=ACCESS_KEY_ID,
                secret_key=self.secret,
                session_token=None,
                region="us-east-1",
                now=datetime.now(UTC),
            )
            lines = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
            yield f"PUT {path} HTTP/1.1\r\n{lines}\r\n\r\n".encode() + BODY


def load(node: Node, bucket: str, *, connections: int, seconds: float) -> Run:
    """Upload for so long, then compare with the records."""
    clients = [
        Client(number, node.port, node.secret_access_key, bucket, connections // CLIENTS, seconds)
        for number in range(CLIENTS)
    ]
    processes = [node.pid, *node.workers()]
    cpu = {pid: cpu_seconds_of(pid) for pid in processes}
    with ProcessPoolExecutor(CLIENTS, mp_context=get_context("spawn")) as pool:
        outcomes = list(pool.map(Client.run, clients))
    took = sorted(milliseconds for outcome in outcomes for milliseconds in outcome[0])
    states = [record.state for record in node.records()]
    return Run(
        seconds=seconds,
        milliseconds=took,
        cpu_seconds=sum(cpu_seconds_of(pid) - cpu[pid] for pid in processes),
        failures=sum(outcome[1] for outcome in outcomes),
        stored_records=states.count("STORED"),
        other_records=len(states) - states.count("STORED"),
        was_locked="is locked" in node.log.read_text(errors="replace"),
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--threads", type=int, default=16, help="of each worker (16)")
    parser.add_argument("--backend", choices=BACKENDS, default="files")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mizuchi-load-"))
    try:
        with node_before(options.backend, folder, workers=options.workers, threads=options.threads) as (
            node,
            bucket,
        ):
            run = load(node, bucket, connections=options.connections, seconds=options.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{options.workers} workers, {options.connections} connections, to {options.backend}\n{run}")
    return 0 if run.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
