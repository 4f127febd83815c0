"""The HTTP machinery of a worker: a poller for connections that wait, threads for requests that run."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable

from .connection import Connection, limit_waiting
from .core import Core
from .poller import Poller
from .runner import Application, RequestRunner
from .threads import RequestThreads

IDLE_SECONDS = 75  # longer than load balancers keep an idle connection (60 s)

_logger = logging.getLogger(__name__)


class Engine:
    """Serves ``application`` on ``listener``, which it owns from now on."""

    def __init__(
        self,
        application: Application,
        listener: socket.socket,
        *,
        threads: int,
        max_connections: int,
        stall_seconds: float,
        is_draining: Callable[[], bool],
        idle_seconds: float = IDLE_SECONDS,
        core: Core | None = None,
    ) -> None:
        """``threads`` requests run at once; the client of one may be silent for ``stall_seconds``, a
        connection without one for ``idle_seconds``."""
        limit_waiting(listener, stall_seconds)
        listener.setblocking(False)
        self._poller = Poller(
            listener, max_connections=max_connections, idle_seconds=idle_seconds, take=self._submit
        )
        self._runner = RequestRunner(
            application,
            self._poller,
            server=listener.getsockname()[:2],
            stall_seconds=stall_seconds,
            max_held=threads // 2,
            is_draining=is_draining,
            others_wait=lambda: self._threads.waiting > 0,
            core=core,
        )
        self._threads: RequestThreads[Connection] = RequestThreads(threads, self._runner)
        self._thread = threading.Thread(target=self._poll, name="poller", daemon=True)

    def start(self) -> None:
        """Start accepting."""
        self._thread.start()

    def stop(self) -> None:
        """Accept no more, close connections that wait for a request, let the others finish theirs."""
        self._poller.stop()

    def abort(self) -> None:
        """Break the body of every request that runs, so that each can clean up and answer."""
        self._runner.abort()

    def wait(self) -> None:
        """Until, after ``stop``, all connections ended."""
        self._thread.join()

    def _poll(self) -> None:
        try:
            self._poller.run()
        except BaseException:
            _logger.critical("The poller failed: the worker ends and is replaced", exc_info=True)
            os._exit(1)

    def _submit(self, connection: Connection) -> None:
        self._threads.submit(connection)
