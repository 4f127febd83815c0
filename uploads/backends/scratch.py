"""Temporary files: written where nobody looks, moved into place when complete, gone on any other exit.

Whoever writes one holds an exclusive ``flock`` on it until it is closed. A lock dies with its process,
so ``sweep`` can tell the files of dead writers from those of live ones, also in other containers.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from uploads.body.stream import Body

from .os_errors import TranslatedErrors

CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
COPY_BYTES = 1024 * 1024
COPY_AT_ONCE_BYTES = 1024 * 1024 * 1024

#: What ``link`` says on a filesystem without hard links, or when a file has too many names.
NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})


class NoHardLinks(Exception):
    """This filesystem gives no file a second name."""


class ScratchFile:
    """An open temporary file, which is closed and removed at the end of a ``with`` block. Made by
    ``Scratch``. ``has_other_names``: it is a second name of a file that stays."""

    __slots__ = ("_has_other_names", "_is_moved", "_name", "fd")

    def __init__(self, name: str, fd: int, *, has_other_names: bool = False) -> None:
        self.fd = fd
        self._name = name
        self._has_other_names = has_other_names
        self._is_moved = False

    def __enter__(self) -> ScratchFile:
        return self

    def __exit__(self, *raised: object) -> None:
        # the name goes before the lock: a sweep between the two would count it as a dead writer's
        if not self._is_moved:
            with suppress(FileNotFoundError):
                os.unlink(self._name)
        os.close(self.fd)

    @property
    def path(self) -> Path:
        """Where it is, as long as nobody moved it."""
        return Path(self._name)

    def write_body(self, body: Body) -> None:
        """Append all blocks of the body. Raises ``BackendError`` and whatever the body raises."""
        for block in body:
            self.write(block)

    @TranslatedErrors()
    def write(self, block: bytes | memoryview) -> None:
        """Append one block, whole."""
        _write_whole(self.fd, block)

    @TranslatedErrors()
    def append_file(self, path: Path) -> None:
        """Append a file's bytes; shared, not copied, where the filesystem can."""
        with path.open("rb", buffering=0) as source:
            remaining = os.fstat(source.fileno()).st_size
            while remaining:
                remaining -= _copy_some(source.fileno(), self.fd, remaining)

    @TranslatedErrors()
    def sync(self) -> None:
        """Make the bytes durable."""
        os.fsync(self.fd)

    def move(self, name: bytes | str, folder: int | None = None) -> None:
        """Give it this name, in an open folder if one is given, in place of what has it. Raises OSError."""
        os.rename(self._name, name, dst_dir_fd=folder)
        # rename does nothing when the file has both names already
        self._is_moved = not self._has_other_names

    def link(self, name: bytes, folder: int) -> None:
        """Give it this name too. Unlike ``move``, raises FileExistsError when something has it; OSError."""
        os.link(self._name, name, dst_dir_fd=folder)

    @TranslatedErrors()
    def replace(self, path: Path) -> None:
        """Durable bytes, then the name: after a crash the file is whole or what it was before."""
        os.fsync(self.fd)
        self.move(str(path))
        sync_folder(path.parent)


def _copy_some(source: int, target: int, remaining: int) -> int:
    """Copy up to ``remaining`` bytes between the current offsets; returns how many, never 0."""
    try:
        copied = os.copy_file_range(source, target, min(remaining, COPY_AT_ONCE_BYTES))
    except OSError:
        # not on this kernel, or not between these files: a read or write that fails too says why
        copied = 0
    if copied:
        return copied
    block = os.read(source, min(remaining, COPY_BYTES))
    if not block:
        raise OSError(f"a part ended {remaining} bytes early")
    _write_whole(target, block)
    return len(block)


def _write_whole(fd: int, block: bytes | memoryview) -> None:
    written = os.write(fd, block)
    while written < len(block):
        written += os.write(fd, memoryview(block)[written:])


class Scratch:
    """A folder of temporary files, on the same filesystem as the places they are moved to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prefix = f"{folder}{os.sep}"

    @TranslatedErrors()
    def open(self, mode: int | None = None) -> ScratchFile:
        """A new temporary file with these permissions (None: as the umask has them), for a ``with`` block.
        Raises ``BackendError``."""
        while True:
            name = self._unused_name()
            fd = self._create(name)
            try:
                if mode is not None:
                    os.fchmod(fd, mode)
                if _is_locked_now(fd) and os.fstat(fd).st_nlink:
                    return ScratchFile(name, fd)
            except BaseException:
                os.close(fd)
                raise
            # a sweep came between creation and lock, and took the file for a dead writer's
            os.close(fd)

    def _create(self, name: str) -> int:
        try:
            return os.open(name, CREATE, 0o666)
        except FileNotFoundError:
            make_folders(self._folder)
            return os.open(name, CREATE, 0o666)

    @TranslatedErrors()
    def adopt(self, path: Path) -> ScratchFile:
        """A complete file under a second, temporary name, as if written here; the first name stays. For a
        ``with`` block. Raises ``BackendError``, and ``NoHardLinks`` where files have no second names."""
        make_folders(self._folder)
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        name = self._unused_name()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            os.link(path, name)
        except OSError as error:
            os.close(fd)
            if error.errno in NO_HARD_LINKS:
                raise NoHardLinks from error
            raise
        return ScratchFile(name, fd, has_other_names=True)

    def _unused_name(self) -> str:
        return self._prefix + secrets.token_hex(16)

    def discard_folder(self, folder: Path) -> None:
        """Make a folder disappear at once, whatever is in it. Raises FileNotFoundError, OSError."""
        make_folders(self._folder)
        doomed = Path(self._unused_name())
        folder.rename(doomed)
        sync_folder(folder.parent)
        shutil.rmtree(doomed, ignore_errors=True)

    @TranslatedErrors()
    def sweep(self) -> int:
        """Remove the files of dead writers and folders half removed; returns how many entries."""
        if not self._folder.is_dir():
            return 0
        return sum(_remove_if_dead(Path(entry.path)) for entry in os.scandir(self._folder))


def _remove_if_dead(path: Path) -> bool:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return True
    try:
        # a lock needs a file open for writing on some network filesystems
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        if not _is_locked_now(fd):
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    finally:
        os.close(fd)
    return True


def _is_locked_now(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make_folders(path: Path) -> None:
    """Create a folder and the missing ones above it, durably. Raises OSError."""
    if path.is_dir():
        return
    if path.parent != path:
        make_folders(path.parent)
    with suppress(FileExistsError):
        path.mkdir()
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
