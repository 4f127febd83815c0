"""Small uploads at a steady pace, from a process of its own, until told to stop: what each got, and when."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

from tests.endurance.load import LOST, Client, Connection
from tests.endurance.node import Node

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One PUT: when it was sent (monotonic seconds of this machine), how long it took, its answer.

    ``status`` LOST: the connection ended, or there was no answer for ``PATIENCE_SECONDS``.
    """

    began: float
    milliseconds: float
    status: int
    request_id: str


class SteadyLoad:
    """The load as the test sees it. ``exchanges`` after the end of the block of ``steady_load``."""

    def __init__(self, answered: Any) -> None:
        self._answered = answered
        self.exchanges: Sequence[Exchange] = ()

    @property
    def answered(self) -> int:
        """How many requests have ended so far."""
        return int(self._answered.value)

    @property
    def request_ids(self) -> set[str]:
        """Those of the uploads that were answered with 200."""
        return {exchange.request_id for exchange in self.exchanges if exchange.status == 200}

    @property
    def failures(self) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.status != 200]

    def wait(self, more: int, seconds: float = 60) -> None:
        """Until so many more requests have ended."""
        wanted, deadline = self.answered + more, time.monotonic() + seconds
        while self.answered < wanted:
            assert time.monotonic() < deadline, f"{wanted - self.answered} of {more} requests did not end"
            time.sleep(0.02)


@contextmanager
def steady_load(
    node: Node, *, connections: int = 4, per_second: float = 100.0, bucket: str = "files", number: int = 0
) -> Iterator[SteadyLoad]:
    """Keep the pace until the block ends. Connections that end are opened anew. ``number`` tells the keys
    of several loads apart."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    answered = context.Value("l", 0)
    clients = [
        Client(number * connections + each, node.port, node.secret_access_key, bucket, 1, 0)
        for each in range(connections)
    ]
    process = context.Process(target=_run, args=(clients, connections / per_second, answered, theirs))
    process.start()
    theirs.close()
    load = SteadyLoad(answered)
    try:
        yield load
        ours.send("stop")
        load.exchanges = ours.recv()
    finally:
        ours.close()
        process.join(PATIENCE_SECONDS)
        if process.is_alive():
            process.kill()


def _run(clients: Sequence[Client], pause_seconds: float, answered: Any, pipe: Pipe) -> None:
    stopped = threading.Event()
    exchanges: list[Exchange] = []

    def keep_on(client: Client, wait_seconds: float) -> None:
        stopped.wait(wait_seconds)
        for exchange in _exchanges(client, pause_seconds, stopped):
            exchanges.append(exchange)
            with answered.get_lock():
                answered.value += 1

    threads = [
        threading.Thread(target=keep_on, args=(client, pause_seconds * place / len(clients)))
        for place, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        pipe.recv()
    except EOFError:
        stopped.set()
        return
    stopped.set()
    for thread in threads:
        thread.join()
    pipe.send(exchanges)


def _exchanges(client: Client, pause_seconds: float, stopped: threading.Event) -> Iterator[Exchange]:
    """One after the other on one connection; a slow answer is followed by the next request at once."""
    connection: Connection | None = None
    due = time.monotonic()
    for request in client.requests():
        if stopped.wait(max(due - time.monotonic(), 0)):
            break
        due = max(due + pause_seconds, time.monotonic() - pause_seconds)
        began = time.monotonic()
        status = LOST
        try:
            connection = connection or Connection(client.port, PATIENCE_SECONDS)
            connection.send(request)
            while (answer := connection.receive()) is None:
                pass
            status = answer
        except OSError:
            pass
        request_id = connection.request_id if connection and status != LOST else ""
        yield Exchange(began, (time.monotonic() - began) * 1e3, status, request_id)
        if status == LOST and connection:
            connection.sock.close()
            connection = None
    if connection:
        connection.sock.close()
