"""granian's HTTP machinery, without granian's server: everything that depends on its inside is here.

Written for granian 2.8. Its ``.pyi`` describes an older inside, hence ``Any``. The tests that run the real
server fail when an upgrade changes what is used.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from granian.http import HTTP1Settings

from .exchange import Watcher

HEADER_READ_SECONDS = 75  # longer than load balancers keep an idle connection (60 s)


class ImmediateLoop:
    """The part of an event loop that granian's futures use: calls are made where they are asked for."""

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: object = None
    ) -> None:
        callback(*args)

    call_soon = call_soon_threadsafe


class Engine:
    """Accepts connections on the listening socket ``listener_fd``, which it owns from now on, and calls
    ``take`` for each request, on one thread of its own."""

    def __init__(
        self,
        *,
        number: int,
        listener_fd: int,
        backlog: int,
        connections: int,
        take: Callable[[Watcher], None],
    ) -> None:
        """``connections`` is how many it holds at once; further ones wait in the kernel."""
        granian: Any = importlib.import_module("granian._granian")
        log = logging.getLogger("_granian")
        if log.level == logging.NOTSET:  # the operator has not said how much of it to hear
            log.setLevel(logging.WARNING)
        self._stop_signal = granian.WorkerSignal()
        self._worker = _build_worker(granian, number, listener_fd, backlog, connections)
        self._loop = ImmediateLoop()
        self._scheduler = granian.CallbackScheduler(self._loop, take, None, None, None)
        self._scheduler._schedule_fn = take

    def start(self) -> threading.Event:
        """Start accepting; the event is set when, after ``stop``, all connections ended."""
        ended = threading.Event()
        self._stop_signal.add_cb(ended.set)
        self._worker.serve_mtr(self._scheduler, self._loop, self._stop_signal)
        return ended

    def stop(self) -> None:
        """Accept no more, close connections that wait for a request, let the others finish theirs."""
        self._stop_signal.set()


def _build_worker(granian: Any, number: int, listener_fd: int, backlog: int, connections: int) -> Any:
    no_tls: tuple[Any, ...] = (False, None, None, None, "tls1.2", None, [], False)
    return granian.ASGIWorker(
        number,
        (None, granian.SocketHolder(listener_fd, False, backlog)),
        None,  # no pipe for metrics
        1,  # thread of the HTTP machinery
        1,  # thread for its file input, which is not used
        1,  # thread that hands over requests and completes futures: it must never wait
        30,
        connections,
        "1",  # HTTP/1 only
        HTTP1Settings(header_read_timeout=HEADER_READ_SECONDS * 1000),
        None,
        False,  # no websockets
        None,  # no static files
        *no_tls,
        (None, None),  # no metrics
    )
