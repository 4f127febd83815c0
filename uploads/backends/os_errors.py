"""What the operating system's errors mean to a client: one table, applied at the border.

An errno that is not in the table is ``BackendUnavailable``: the client may try again, and the
operator's log has the errno. It has a path only below ``.mizuchi``, where names are the storage's own: any
other one is a key.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType, TracebackType
from typing import ParamSpec, TypeVar

from .errors import (
    BackendDenied,
    BackendError,
    BackendMisconfigured,
    BackendUnavailable,
    KeyNotRepresentable,
    ObjectTooLarge,
    OutOfSpace,
)

P = ParamSpec("P")
T = TypeVar("T")

INTERNAL = ".mizuchi"
"""The folder of everything at a location that is no object."""

ERRORS: Mapping[int, type[BackendError]] = MappingProxyType(
    {
        errno.ENOSPC: OutOfSpace,
        errno.EDQUOT: OutOfSpace,
        errno.EMLINK: OutOfSpace,
        errno.EFBIG: ObjectTooLarge,
        errno.EROFS: BackendDenied,
        errno.EACCES: BackendDenied,
        errno.EPERM: BackendDenied,
        errno.EXDEV: BackendMisconfigured,
        errno.ENAMETOOLONG: KeyNotRepresentable,
        errno.EISDIR: KeyNotRepresentable,
        errno.ENOTDIR: KeyNotRepresentable,
        errno.ELOOP: KeyNotRepresentable,
        errno.EILSEQ: KeyNotRepresentable,
        errno.EIO: BackendUnavailable,
        errno.ESTALE: BackendUnavailable,
        errno.EMFILE: BackendUnavailable,
        errno.ENFILE: BackendUnavailable,
        errno.ETIMEDOUT: BackendUnavailable,
    }
)


def translated(error: OSError) -> BackendError:
    """The ``BackendError`` for an ``OSError``; its detail is for the operator."""
    kind = ERRORS.get(error.errno or 0, BackendUnavailable)
    name = errno.errorcode.get(error.errno or 0, "no errno")
    where = f" at {error.filename}" if _is_internal(error.filename) else ""
    return kind(detail=f"{name}: {error.strerror or type(error).__name__}{where}")


def _is_internal(path: object) -> bool:
    return isinstance(path, str) and INTERNAL in path.split(os.sep)


class TranslatedErrors:
    """``with TranslatedErrors():`` or ``@TranslatedErrors()``: an ``OSError`` inside becomes a
    ``BackendError``. Never put the iteration of a body inside: its errors are not the storage's."""

    __slots__ = ()

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        # a try block costs nothing unless it catches; a context for each call would
        @wraps(function)
        def translating(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except OSError as error:
                raise translated(error) from error

        return translating

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise translated(error) from error
