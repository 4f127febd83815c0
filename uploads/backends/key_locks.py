"""One writer at a time for a key, among all threads and processes at this storage."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from .descriptor import Descriptor
from .object_path import ObjectPath
from .scratch import make_folders

FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class KeyLocks:
    """256 lock files for all keys: two keys that share one wait for each other for a moment.

    They are opened each time: a descriptor that is kept would have to be compared with what has the name
    now, which costs what opening does.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def hold(self, where: ObjectPath) -> Descriptor:
        """Hold the key's lock for a ``with`` block; waits for it. Raises OSError."""
        fd = self._open(f"{self._folder}/{where.digest[:2]}")
        try:
            # each open() is a lock of its own, so threads exclude each other too
            fcntl.flock(fd, fcntl.LOCK_EX)
        except BaseException:
            os.close(fd)
            raise
        return Descriptor(fd)

    def _open(self, path: str) -> int:
        try:
            return os.open(path, FLAGS, 0o600)
        except FileNotFoundError:
            make_folders(Path(self._folder))
            return os.open(path, FLAGS, 0o600)
