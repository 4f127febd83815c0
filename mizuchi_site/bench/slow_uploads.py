"""Uploads that take as long as somebody wants them to: in progress while something else is measured."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from .body_forms import block
from .server import Server
from .sizes import KIBIBYTE, MEBIBYTE
from .uploads import UNSIGNED, UploadRefused, connection_to, own_path, receive_answer, request_head, signed
from .wire import read_head

_FIRST_BYTES = MEBIBYTE // 2
_STEP_BYTES = KIBIBYTE
_STEP_SECONDS = 1.0


@contextmanager
def slow_uploads(server: Server, count: int) -> Iterator[None]:
    """So many uploads of 1 MiB, half of which has come: a KiB a second follows until the block ends, then the
    rest.

    Each is begun: the gateway has asked for its body (100 Continue). Raises UploadRefused when one was not
    stored in the end, OSError.
    """
    with ExitStack() as connections:
        socks = [connections.enter_context(connection_to(server)) for _ in range(count)]
        for sock in socks:
            _begin(server, sock)
        ended = threading.Event()
        trickle = threading.Thread(target=_trickle, args=(socks, ended), daemon=True)
        trickle.start()
        try:
            yield
        finally:
            ended.set()
            trickle.join()
        for sock in socks:
            receive_answer(sock)


def _begin(server: Server, sock: socket.socket) -> None:
    path = own_path()
    headers = signed(server, path, {"content-length": str(MEBIBYTE)}, UNSIGNED)
    sock.sendall(request_head("PUT", path, {**headers, "expect": "100-continue"}))
    head, _ = read_head(sock)
    if not head.startswith(b"HTTP/1.1 100"):
        raise UploadRefused(head.decode("latin-1"))
    sock.sendall(block()[:_FIRST_BYTES])


def _trickle(socks: Sequence[socket.socket], ended: threading.Event) -> None:
    at, last = _FIRST_BYTES, MEBIBYTE - _STEP_BYTES
    while at < last and not ended.wait(_STEP_SECONDS):
        for sock in socks:
            sock.sendall(block()[at : at + _STEP_BYTES])
        at += _STEP_BYTES
    ended.wait()
    for sock in socks:
        sock.sendall(block()[at:])
