"""A port behind which a server of this machine is as if it were far away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def far_away(port: int, seconds: float) -> Iterator[int]:
    """What is sent through it arrives that much later, in both directions."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=_serve, args=(listener, port, seconds))
        serving.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listener: socket.socket, port: int, seconds: float) -> None:
    """Until the listener is shut down and every connection has ended."""
    connections: list[threading.Thread] = []
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            connections.append(threading.Thread(target=_connect, args=(client, port, seconds)))
            connections[-1].start()
    for connection in connections:
        connection.join()


def _connect(client: socket.socket, port: int, seconds: float) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        answers = threading.Thread(target=_carry, args=(server, client, seconds))
        answers.start()
        _carry(client, server, seconds)
        answers.join()


def _carry(source: socket.socket, target: socket.socket, seconds: float) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            time.sleep(seconds)
            target.sendall(data)
    for sock in (source, target):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
