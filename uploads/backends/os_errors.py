"""What the operating system's errors mean to a client: one table, applied at the border.

An errno that is not in the table is ``BackendUnavailable``: the client may try again, and the
operator's log has the errno and the path.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import ContextDecorator
from types import MappingProxyType, TracebackType

from .errors import (
    BackendDenied,
    BackendError,
    BackendMisconfigured,
    BackendUnavailable,
    KeyNotRepresentable,
    ObjectTooLarge,
    OutOfSpace,
)

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
    return kind(detail=f"{name}: {error}")


class TranslatedErrors(ContextDecorator):
    """``with TranslatedErrors():`` or ``@TranslatedErrors()``: an ``OSError`` inside becomes a
    ``BackendError``. Never put the iteration of a body inside: its errors are not the storage's."""

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
