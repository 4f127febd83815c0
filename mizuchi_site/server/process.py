"""A worker process as the main process sees it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

from .worker import READY, WorkerOptions

_ALLOCATOR = {"MALLOC_ARENA_MAX": "1"}
"""glibc gives threads heaps of their own, so that none waits for another. Here one runs at a time, and what
each heap keeps for itself is lost to all. Who sets it in the environment has what they set."""


class WorkerProcess:
    """One running worker. ``fileno()`` is readable when it has news: see ``read_news``."""

    def __init__(self, options: WorkerOptions, channel: socket.socket) -> None:
        """Start the process; ``channel`` is our end, ``options.channel_fd`` the worker's."""
        self.number = options.number
        self.is_ready = False
        self._started_at = time.monotonic()
        self._channel = channel
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "mizuchi_site.server.worker", options.to_argument()],
            pass_fds=(options.listener_fd, options.drain_fd, options.board_fd, options.channel_fd),
            env={
                **_ALLOCATOR,
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            },
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lifetime_seconds(self) -> float:
        return time.monotonic() - self._started_at

    def fileno(self) -> int:
        return self._channel.fileno()

    def read_news(self) -> int | None:
        """Note that the worker is ready, or return the exit code when it ended."""
        if self._receive() == READY:
            self.is_ready = True
            return None
        self._channel.close()
        return self._process.wait()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self._process.kill()

    def _receive(self) -> bytes:
        try:
            return self._channel.recv(1)
        except ConnectionResetError:
            return b""


def start_worker(
    *,
    number: int,
    application: str,
    threads: int,
    connections: int,
    stall_seconds: float,
    listener: socket.socket,
    drain_fd: int,
    board_fd: int,
) -> WorkerProcess:
    """Start a worker with a channel to it."""
    ours, theirs = socket.socketpair()
    with theirs:
        options = WorkerOptions(
            number=number,
            application=application,
            threads=threads,
            connections=connections,
            stall_seconds=stall_seconds,
            listener_fd=listener.fileno(),
            drain_fd=drain_fd,
            board_fd=board_fd,
            channel_fd=theirs.fileno(),
        )
        return WorkerProcess(options, ours)
