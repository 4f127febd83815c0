"""A server that takes whole requests and answers each with 200: what a collector or policy engine is here."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from .wire import read_body, read_head, without_delay

Answer = Callable[[bytes, bytes], bytes]
"""From the head and the body of a request to the body of its answer. Runs on a thread of its connection."""


def answer_all(listener: socket.socket, answer: Answer, content_type: str) -> None:
    """Serve until the process ends."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: ".encode()
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_converse, args=(sock, answer, head), daemon=True).start()


def _converse(sock: socket.socket, answer: Answer, answer_head: bytes) -> None:
    without_delay(sock)
    pending = b""
    with suppress(OSError), sock:
        while True:
            head, pending = read_head(sock, pending)
            body, pending = read_body(sock, head, pending)
            document = answer(head, body)
            sock.sendall(b"%b%d\r\n\r\n%b" % (answer_head, len(document), document))
