"""Threads that hash beside the transfer: a few for all bodies of a process, started once."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final

from .checksums import Buffer, Hasher

_CORES: Final = frozenset(os.sched_getaffinity(0))
"""Those that the process may use: whoever starts a helper may keep to one of them."""
_MOST_THREADS: Final = 8


class HelperThreads:
    """At most ``count`` threads, started when there is work. Each takes up a lane until that is empty."""

    def __init__(self, count: int) -> None:
        self._unstarted = count
        self._lock = Lock()
        self._lanes: SimpleQueue[Lane] = SimpleQueue()

    def take_up(self, lane: Lane) -> None:
        """Have the lane worked off. Returns at once."""
        if self._unstarted:
            self._start_one()
        self._lanes.put(lane)

    def _start_one(self) -> None:
        with self._lock:
            is_needed = self._unstarted > 0
            self._unstarted -= is_needed
        if is_needed:
            Thread(target=self._run, name="body-digests", daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):  # they were taken from us meanwhile, or may not be chosen
            os.sched_setaffinity(0, _CORES)
        while True:
            self._lanes.get().work_off()


class Lane:
    """The blocks of one body that wait for ``hasher``: hashed in order, beside whoever puts them."""

    def __init__(self, hasher: Hasher, threads: HelperThreads) -> None:
        self._hasher = hasher
        self._threads = threads
        self._lock = Lock()
        self._waiting: deque[Buffer] = deque()
        self._is_taken_up = False
        self._hashed: SimpleQueue[None] = SimpleQueue()
        self._error: BaseException | None = None
        self.unfinished = 0

    def put(self, block: Buffer) -> None:
        """Have a block hashed. It must not change until ``wait`` said so."""
        self.unfinished += 1
        with self._lock:
            self._waiting.append(block)
            if self._is_taken_up:
                return
            self._is_taken_up = True
        self._threads.take_up(self)

    def wait(self, most: int = 0) -> None:
        """Wait until at most so many blocks are not hashed. Raises what hashing raised."""
        self.settle(most)
        if self._error is not None:
            raise self._error

    def settle(self, most: int = 0) -> None:
        """The same, whatever hashing raised."""
        while self.unfinished > most:
            self._hashed.get()
            self.unfinished -= 1

    def work_off(self) -> None:
        """Hash until no block waits. Called by one helper thread at a time."""
        while self._hash_next():
            self._hashed.put(None)

    def _hash_next(self) -> bool:
        with self._lock:
            if not self._waiting:
                self._is_taken_up = False
                return False
            block = self._waiting.popleft()
        # After an error blocks are taken all the same, or wait() would wait for ever.
        if self._error is None:
            try:
                self._hasher.update(block)
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that reads the body
                self._error = error
        return True


HELPERS: Final = HelperThreads(min(len(_CORES), _MOST_THREADS))
"""Those of this process: hashing keeps a core busy, so there is no use in more of them."""
