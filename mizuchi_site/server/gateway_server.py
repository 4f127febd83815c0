"""The main process: opens the socket, keeps the workers running, drains them at the end."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tracing_app.metrics.board import OpenedBoard

from .backoff import Backoff
from .drain import DrainFlag
from .listening import BindAddress, listen
from .process import WorkerProcess, start_worker

GRACE_SECONDS = 1.0
# A worker whose uploads were broken still writes down, within 3 s, the traces that it cannot send.
CLEANUP_SECONDS = 4.5
_BACKLOG = 1024

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What to serve and how much at once. ``application`` is ``module:name`` of a WSGI callable;
    ``threads`` are for each worker, ``max_connections`` for all of them together."""

    address: BindAddress
    application: str
    workers: int
    threads: int
    max_connections: int
    body_stall_seconds: float
    drain_seconds: float

    @property
    def connections_per_worker(self) -> int:
        return max(1, -(-self.max_connections // self.workers))


class GatewayServer:
    """Runs ``options.workers`` worker processes until SIGTERM or SIGINT.

    A worker that dies is replaced, for ever; only when none has ever become ready does the server give up.
    The first signal drains, the second one stops at once.
    """

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        self._workers: dict[int, WorkerProcess] = {}
        self._backoffs = {number: Backoff() for number in range(1, options.workers + 1)}
        self._due: dict[int, float] = dict.fromkeys(self._backoffs, 0.0)
        self._signals: list[signal.Signals] = []
        self._was_ever_ready = False

    def run(self) -> int:
        """Serve; the exit code. Raises BindError. In the main thread only: it handles signals."""
        with (
            listen(self._options.address, backlog=_BACKLOG) as listener,
            DrainFlag() as draining,
            OpenedBoard(self._options.workers) as board,
            self._watched_signals() as wakeup,
        ):
            host, port = listener.getsockname()[:2]
            _logger.info("Listening on http://%s", BindAddress(host, port))
            while not self._signals:
                self._start_due(listener, draining, board)
                if not self._attend(wakeup, self._next_due()):
                    return self._give_up()
            self._drain(listener, draining, wakeup)
        _logger.info("Stopped")
        return 0

    def _start_due(self, listener: socket.socket, draining: DrainFlag, board: OpenedBoard) -> None:
        options = self._options
        for number in [number for number, due in self._due.items() if due <= time.monotonic()]:
            del self._due[number]
            worker = self._workers[number] = start_worker(
                number=number,
                application=options.application,
                threads=options.threads,
                connections=options.connections_per_worker,
                stall_seconds=options.body_stall_seconds,
                listener=listener,
                drain_fd=draining.fileno(),
                board_fd=board.fileno(),
            )
            _logger.info("Worker %d starting (pid %d)", number, worker.pid)

    def _next_due(self) -> float | None:
        return min(self._due.values(), default=None)

    def _attend(self, wakeup: int, until: float | None) -> bool:
        """Wait for a signal, news of a worker or the time ``until``. False when no worker could start."""
        timeout = None if until is None else max(0.0, until - time.monotonic())
        sources: list[int | WorkerProcess] = [wakeup, *self._workers.values()]
        for source in select.select(sources, [], [], timeout)[0]:
            if isinstance(source, int):
                os.read(source, 64)
            elif (exit_code := source.read_news()) is not None:
                self._note_end(source, exit_code)
            else:
                self._was_ever_ready = True
                _logger.info("Worker %d ready (pid %d)", source.number, source.pid)
        return bool(self._was_ever_ready or self._workers or self._signals)

    def _note_end(self, worker: WorkerProcess, exit_code: int) -> None:
        del self._workers[worker.number]
        if self._signals:
            _logger.info("Worker %d ended (pid %d)", worker.number, worker.pid)
            return
        delay = self._backoffs[worker.number].after(worker.lifetime_seconds)
        self._due[worker.number] = time.monotonic() + delay
        _logger.error(
            "Worker %d died (pid %d, %s); replacing it in %.1f s",
            worker.number,
            worker.pid,
            _describe_end(exit_code),
            delay,
        )

    def _give_up(self) -> int:
        _logger.critical("No worker could start")
        return 1

    def _drain(self, listener: socket.socket, draining: DrainFlag, wakeup: int) -> None:
        """Say so, stop accepting, wait for what runs, break what remains; less with every further signal."""
        deadline = time.monotonic() + self._options.drain_seconds
        draining.set()
        _logger.info("%s: draining for at most %g s", self._signals[0].name, self._options.drain_seconds)
        if self._signals[0] is signal.SIGTERM:
            self._wait_for_workers(wakeup, min(deadline, time.monotonic() + GRACE_SECONDS))
        listener.close()
        self._terminate_workers()
        self._wait_for_workers(wakeup, deadline)
        if self._workers and len(self._signals) == 1:
            _logger.warning("The time to drain is over: breaking the uploads in progress")
            self._terminate_workers()
            self._wait_for_workers(wakeup, time.monotonic() + CLEANUP_SECONDS)
        for worker in self._workers.values():
            worker.kill()
        while self._workers:
            self._attend(wakeup, None)

    def _terminate_workers(self) -> None:
        for worker in self._workers.values():
            if worker.is_ready:
                worker.terminate()
            else:
                worker.kill()

    def _wait_for_workers(self, wakeup: int, deadline: float) -> None:
        """Until all ended, ``deadline``, or a second signal."""
        while self._workers and len(self._signals) == 1 and time.monotonic() < deadline:
            self._attend(wakeup, deadline)

    @contextlib.contextmanager
    def _watched_signals(self) -> Iterator[int]:
        """SIGTERM and SIGINT go to ``_signals``; the descriptor becomes readable with each."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        before = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)
        }
        previous = signal.set_wakeup_fd(writer)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._signals.append(signal.Signals(number))


def _describe_end(exit_code: int) -> str:
    if exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
