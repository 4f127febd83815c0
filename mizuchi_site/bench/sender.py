"""Sends uploads from a process of its own, which shares no interpreter lock and no CPU time with what is
measured."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from .body_forms import Upload, block
from .spawned import spawned
from .uploads import UploadRefused, receive_answer
from .wire import without_delay

_TIMEOUT_SECONDS = 300.0

Lane = Sequence[Upload]
"""What goes over one connection, one after the other."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Seconds from the first byte to the last answer, and those of each upload."""

    seconds: float
    took: Sequence[float]


class Sender:
    """The process, as a benchmark uses it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def send(self, port: int, lanes: Sequence[Lane]) -> Sent:
        """Send all lanes at once, to this machine. Raises UploadRefused."""
        self._pipe.send((port, lanes))
        answer: Sent | str = self._pipe.recv()
        if isinstance(answer, str):
            raise UploadRefused(answer)
        return answer


@contextmanager
def running_sender() -> Iterator[Sender]:
    with spawned(_serve) as pipe:
        yield Sender(pipe)


def send_upload(sock: socket.socket, upload: Upload) -> None:
    """Send a request in few and big calls; what is small waits for what follows it. Raises OSError."""
    content = memoryview(block())[: upload.block_bytes]
    sock.sendall(upload.head, socket.MSG_MORE if upload.frames else 0)
    for frame in upload.frames:
        if frame:
            sock.sendall(frame, socket.MSG_MORE)
        sock.sendall(content)
    if upload.tail:
        sock.sendall(upload.tail)


def _serve(pipe: Connection) -> None:
    while True:
        port, lanes = pipe.recv()
        try:
            pipe.send(_send_lanes(port, lanes))
        except (UploadRefused, OSError) as error:
            pipe.send(f"{type(error).__name__}: {error}")


def _send_lanes(port: int, lanes: Sequence[Lane]) -> Sent:
    """On a thread for each lane; all are connected before the first begins."""
    with ExitStack() as connections, ThreadPoolExecutor(len(lanes)) as pool:
        socks = [connections.enter_context(_connected(port)) for _ in lanes]
        times = [each for lane in pool.map(_send_lane, socks, lanes) for each in lane]
    first, last = min(began for began, _ in times), max(ended for _, ended in times)
    return Sent(last - first, [ended - began for began, ended in times])


def _connected(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS)
    without_delay(sock)
    return sock


def _send_lane(sock: socket.socket, lane: Lane) -> list[tuple[float, float]]:
    """When each upload began, and when its answer had come."""
    times = []
    for upload in lane:
        began = time.perf_counter()
        with suppress(BrokenPipeError, ConnectionResetError):  # who refuses a body answers before its end
            send_upload(sock, upload)
        receive_answer(sock)
        times.append((began, time.perf_counter()))
    return times
