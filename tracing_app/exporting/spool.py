"""Requests kept on disk while the collector is away, oldest first, within a bound.

A directory may be shared by any number of processes. Whoever reads or removes a file holds its ``flock``,
which ends with the process: nothing is left claimed after a kill. A file appears whole, by rename.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .spool_file import PARTIAL_SUFFIX, SpoolName, pack, parse_name, unpack

logger = logging.getLogger("mizuchi.tracing.export")

Loss = Literal["spool_full", "spool_torn"]

# What a small file takes on disk.
_BLOCK_BYTES = 4096
_SCAN_SECONDS = 1.0
_ABANDONED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SpoolUsage:
    """What the directory holds, of all processes; files being sent included."""

    files: int = 0
    bytes: int = 0
    spans: int = 0
    traces: int = 0


class Claim:
    """A spooled request that this process alone may send: then ``remove`` it, or ``release`` it."""

    def __init__(
        self,
        path: Path,
        name: SpoolName,
        descriptor: int,
        payload: bytes,
        on_stuck: Callable[[SpoolName, OSError], None],
    ) -> None:
        self.spans = name.spans
        self.traces = name.traces
        self.payload = payload
        self.name = name
        self._path = path
        self._descriptor = descriptor
        self._on_stuck = on_stuck

    def remove(self) -> None:
        """It was dealt with."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            self._on_stuck(self.name, error)
        self.release()

    def release(self) -> None:
        """It stays, for whoever comes next. May be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


class Spool:
    """See the module. ``put`` is for any thread, claims are for one. ``on_loss(reason, spans, traces)`` hears
    of what had to be given up.

    The bound counts blocks of 4 KiB; it may be passed by what other processes write within one second.
    """

    def __init__(self, directory: Path, *, max_bytes: int, on_loss: Callable[[Loss, int, int], None]) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._on_loss = on_loss
        self._lock = threading.Lock()
        self._number = 0
        self._bytes = 0
        self._scanned_at = -_SCAN_SECONDS
        self._backlog: deque[SpoolName] = deque()
        self._last_ns = 0
        self._stuck: set[SpoolName] = set()

    def put(self, payload: bytes, *, spans: int, traces: int) -> None:
        """Keep a request, giving up the oldest ones when there is no room.

        Raises:
            OSError: it cannot be written, or is larger than all the room there is.
        """
        content = pack(payload)
        size = _on_disk(len(content))
        if size > self._max_bytes:
            raise OSError(f"a request of {size} bytes is larger than the spool")
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock:
            self._make_room(size)
            self._bytes += size
            self._number += 1
            # A clock that was set back must not make this the oldest.
            self._last_ns = max(time.time_ns(), self._last_ns + 1)
            name = SpoolName(self._last_ns, os.getpid(), self._number, spans, traces)
        self._write(self._directory / str(name), content)

    def claim_oldest(self) -> Claim | None:
        """The oldest request that no one else is sending; ``None`` when there is none."""
        if not self._backlog:
            self._backlog.extend(self._names())
        while self._backlog:
            name = self._backlog.popleft()
            if claim := self._claim(name):
                return claim
        return None

    def give_back(self, claim: Claim) -> None:
        """It could not be sent: it is the next one again."""
        self._backlog.appendleft(claim.name)
        claim.release()

    def usage(self) -> SpoolUsage:
        """What is there now."""
        sizes = self._sizes()
        return SpoolUsage(
            files=len(sizes),
            bytes=sum(sizes.values()),
            spans=sum(name.spans for name in sizes),
            traces=sum(name.traces for name in sizes),
        )

    def _write(self, path: Path, content: bytes) -> None:
        partial = path.with_name(path.name + PARTIAL_SUFFIX)
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.write(content)
                file.flush()
                partial.rename(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def _make_room(self, size: int) -> None:
        is_fresh = time.monotonic() - self._scanned_at < _SCAN_SECONDS
        if is_fresh and self._bytes + size <= self._max_bytes:
            return
        sizes = self._sizes()
        self._scanned_at = time.monotonic()
        self._bytes = sum(sizes.values())
        self._last_ns = max(self._last_ns, max(sizes).written_ns if sizes else 0)
        for name in sorted(sizes):
            if self._bytes + size <= self._max_bytes:
                return
            if claim := self._claim(name):
                claim.remove()
                self._on_loss("spool_full", claim.spans, claim.traces)
            self._bytes -= sizes[name]

    def _claim(self, name: SpoolName) -> Claim | None:
        path = self._directory / str(name)
        descriptor = _lock(path)
        if descriptor is None:
            return None
        try:
            payload = unpack(_read_all(descriptor))
        except OSError:
            # The disk fails, which says nothing of what is written there.
            os.close(descriptor)
            return None
        claim = Claim(path, name, descriptor, payload or b"", self._note_stuck)
        if payload is not None:
            return claim
        claim.remove()
        self._on_loss("spool_torn", name.spans, name.traces)
        return None

    def _note_stuck(self, name: SpoolName, error: OSError) -> None:
        """What was dealt with and is still there: to this process it is not."""
        if not self._stuck:
            logger.error(
                "a spooled request that was sent cannot be removed (%s): the next process will send it again",
                error.strerror,
            )
        self._stuck.add(name)

    def _names(self) -> list[SpoolName]:
        return sorted(self._sizes())

    def _sizes(self) -> dict[SpoolName, int]:
        sizes: dict[SpoolName, int] = {}
        # A directory that is not there yet, or not to be read, holds nothing for us.
        with suppress(OSError), os.scandir(self._directory) as entries:
            for entry in entries:
                name = parse_name(entry.name)
                if name is None or name in self._stuck or not entry.is_file(follow_symlinks=False):
                    continue
                with suppress(OSError):
                    if entry.name.endswith(PARTIAL_SUFFIX):
                        self._discard_abandoned(entry, name)
                    else:
                        sizes[name] = _on_disk(entry.stat().st_size)
        return sizes

    def _discard_abandoned(self, entry: os.DirEntry[str], name: SpoolName) -> None:
        """A file that its writer did not live to finish."""
        if time.time() - entry.stat().st_mtime < _ABANDONED_SECONDS:
            return
        path = Path(entry.path)
        descriptor = _lock(path)
        if descriptor is None:
            return
        try:
            path.unlink()
        finally:
            os.close(descriptor)
        self._on_loss("spool_torn", name.spans, name.traces)


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK_BYTES) * _BLOCK_BYTES


def _lock(path: Path) -> int | None:
    """Open and lock a file that is still there; ``None`` when another has it or had it, or it is no file."""
    try:
        # Not to wait for the writer of what may be a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        opened = os.fstat(descriptor)
        if stat.S_ISREG(opened.st_mode) and os.path.samestat(opened, path.stat()):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _read_all(descriptor: int) -> bytes:
    blocks = []
    while block := os.read(descriptor, 1 << 20):
        blocks.append(block)
    return b"".join(blocks)
