"""One writer at a time for a key, among all threads and processes at this storage."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .object_path import ObjectPath
from .scratch import make_folders


class KeyLocks:
    """256 lock files for all keys: two keys that share one wait for each other for a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, where: ObjectPath) -> Iterator[None]:
        """Hold the key's lock; waits for it. Raises OSError."""
        fd = self._open(self._folder / where.digest[:2])
        try:
            # each open() is a lock of its own, so threads exclude each other too
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _open(self, path: Path) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            make_folders(self._folder)
            return os.open(path, flags, 0o600)
