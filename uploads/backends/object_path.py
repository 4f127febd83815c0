"""Where an object lives below a location, and the way there that no symbolic link can bend."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass

from .errors import BackendMisconfigured, KeyNotRepresentable

SEGMENT_MAX_BYTES = 255
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
OPEN_INNER = OPEN_FOLDER | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """``{location}/{bucket}/{folders...}/{name}``. An empty ``name``: the key ends in ``/``, and the
    object is the folder itself (a folder marker). Names are bytes: the UTF-8 of the key. ``digest`` is the
    key's SHA-256 in hexadecimal, for file names that any key fits into."""

    bucket: str
    key: str
    folders: tuple[bytes, ...]
    name: bytes
    digest: str

    @property
    def is_folder(self) -> bool:
        """Is this a folder marker?"""
        return not self.name


def path_of(bucket: str, key: str) -> ObjectPath:
    """Where the key lives. Raises ``KeyNotRepresentable`` for a key that is no path (empty, ``.`` or
    ``..`` segments, NUL, a segment over 255 bytes), ``BackendMisconfigured`` for a bucket that is not
    one visible folder."""
    if not bucket or bucket.startswith(".") or "/" in bucket or "\0" in bucket:
        raise BackendMisconfigured(detail=f"the target {bucket!r} is not the name of a visible folder")
    encoded = key.encode()
    *folders, name = encoded.split(b"/")
    for segment in folders:
        _refuse_segment(segment)
    if name:
        _refuse_segment(name)
    elif not folders:
        raise KeyNotRepresentable("The key is empty. Choose another key.")
    return ObjectPath(bucket, key, tuple(folders), name, hashlib.sha256(encoded).hexdigest())


def _refuse_segment(segment: bytes) -> None:
    if segment in (b"", b".", b".."):
        raise KeyNotRepresentable(
            "The storage of this bucket keeps keys as paths: no '//', no '.' or '..' between slashes, "
            "no '/' at the start. Choose another key."
        )
    if len(segment) > SEGMENT_MAX_BYTES or b"\0" in segment:
        raise KeyNotRepresentable(
            "The storage of this bucket keeps keys as paths: at most 255 bytes between two slashes, "
            "no NUL. Choose another key."
        )


def open_folder(bucket_folder: str, segments: tuple[bytes, ...]) -> int:
    """Open the folder below a bucket's, following no symbolic link inside the bucket.

    Returns a file descriptor, the caller's to close. Raises FileNotFoundError, or ENOTDIR where a
    segment is a file or a symbolic link. The bucket's folder itself may be a link: the operator's.
    Nothing is remembered of the way: an operator may move folders, and mount over them, at any time.
    """
    folder = os.open(bucket_folder, OPEN_FOLDER)
    for segment in segments:
        try:
            inner = os.open(segment, OPEN_INNER, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def make_folder(bucket_folder: str, segments: tuple[bytes, ...], mode: int | None) -> int:
    """Like ``open_folder``, but creates what is missing below the bucket's folder, durably, with these
    permissions."""
    folder = os.open(bucket_folder, OPEN_FOLDER)
    for segment in segments:
        try:
            inner = _open_or_make(folder, segment, mode)
        finally:
            os.close(folder)
        folder = inner
    return folder


def _open_or_make(parent: int, segment: bytes, mode: int | None) -> int:
    try:
        return os.open(segment, OPEN_INNER, dir_fd=parent)
    except FileNotFoundError:
        pass
    # another writer may make it at the same moment; whoever needs it makes it durable
    with suppress(FileExistsError):
        os.mkdir(segment, dir_fd=parent)
    os.fsync(parent)
    folder = os.open(segment, OPEN_INNER, dir_fd=parent)
    if mode is not None:
        os.fchmod(folder, mode)
    return folder
