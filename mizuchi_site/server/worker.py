"""One worker process: the HTTP engine on the inherited socket, the application behind it.

Started by the main process as ``python -m mizuchi_site.server.worker OPTIONS``; not for people. A fresh
interpreter rather than a fork, so no thread, lock or connection of the main process comes along.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib
import json
import logging
import os
import signal
import socket
import sys
import threading
from typing import Self

from tracing_app.metrics.board import Board

from . import drain, place
from .core import Core
from .engine import Engine
from .runner import Application

READY = b"r"
CANNOT_START = 3
_CORE_SECONDS = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What the main process tells a worker. ``*_fd`` are inherited: the listening socket, the drain flag, the
    board of metrics, and the channel: the worker says READY there, and its end means that the main process is
    gone."""

    number: int
    application: str
    threads: int
    connections: int
    stall_seconds: float
    listener_fd: int
    drain_fd: int
    board_fd: int
    channel_fd: int

    def to_argument(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_argument(cls, argument: str) -> Self:
        return cls(**json.loads(argument))


def load_application(path: str) -> Application:
    """Import ``module:name``."""
    module, _, name = path.partition(":")
    application: Application = getattr(importlib.import_module(module), name)
    return application


def run(options: WorkerOptions) -> int:
    """Serve until SIGTERM, then until the requests in progress end; a second SIGTERM breaks their bodies.
    Returns the exit code of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the main process too, which decides
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # in every thread to come: it is waited for
    for fd in (options.listener_fd, options.drain_fd, options.board_fd, options.channel_fd):
        os.set_inheritable(fd, False)
    channel = socket.socket(fileno=options.channel_fd)
    _end_with_the_main_process(channel)
    drain.attach(options.drain_fd)
    place.take(Board(options.board_fd), options.number)
    try:
        application = load_application(options.application)
    except Exception:
        logging.getLogger(__name__).exception("Worker %d cannot load %s", options.number, options.application)
        return CANNOT_START
    _settle()
    core = Core(options.number)
    engine = Engine(
        application,
        socket.socket(fileno=options.listener_fd),
        threads=options.threads,
        max_connections=options.connections,
        stall_seconds=options.stall_seconds,
        is_draining=drain.is_draining,
        core=core,
    )
    engine.start()
    core.gather()
    channel.send(READY)
    while signal.sigtimedwait({signal.SIGTERM}, _CORE_SECONDS) is None:
        core.reconsider()
    engine.stop()
    threading.Thread(target=_abort_when_told_again, args=(engine,), daemon=True).start()
    engine.wait()
    return 0


def _settle() -> None:
    """What is loaded by now stays: the garbage collector need not look at it again, which takes it 100 ms at
    once. It comes less often, too: requests leave next to no cycles behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _end_with_the_main_process(channel: socket.socket) -> None:
    def watch() -> None:
        with contextlib.suppress(ConnectionResetError):  # it died before it read what was told
            channel.recv(1)
        os._exit(1)

    threading.Thread(target=watch, name="main-process-watch", daemon=True).start()


def _abort_when_told_again(engine: Engine) -> None:
    signal.sigwait({signal.SIGTERM})
    engine.abort()


if __name__ == "__main__":
    sys.exit(run(WorkerOptions.from_argument(sys.argv[1])))
