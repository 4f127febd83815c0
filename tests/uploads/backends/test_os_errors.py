"""What the operating system's errors mean."""

from __future__ import annotations

import errno
import os

import pytest

from uploads.backends.errors import (
    BackendDenied,
    BackendError,
    BackendMisconfigured,
    BackendUnavailable,
    KeyNotRepresentable,
    ObjectTooLarge,
    OutOfSpace,
)
from uploads.backends.os_errors import ERRORS, TranslatedErrors, translated


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, OutOfSpace),
        (errno.EDQUOT, OutOfSpace),
        (errno.EFBIG, ObjectTooLarge),
        (errno.EROFS, BackendDenied),
        (errno.EACCES, BackendDenied),
        (errno.EPERM, BackendDenied),
        (errno.EXDEV, BackendMisconfigured),
        (errno.ENAMETOOLONG, KeyNotRepresentable),
        (errno.EISDIR, KeyNotRepresentable),
        (errno.ENOTDIR, KeyNotRepresentable),
        (errno.ELOOP, KeyNotRepresentable),
        (errno.EILSEQ, KeyNotRepresentable),
        (errno.ESTALE, BackendUnavailable),
        (errno.EIO, BackendUnavailable),
        (errno.EMFILE, BackendUnavailable),
        (errno.ENOENT, BackendUnavailable),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else value.__name__,
)
def test_what_an_errno_means(code, kind):
    error = translated(OSError(code, os.strerror(code), "/secret/path"))
    assert type(error) is kind
    assert errno.errorcode[code] in error.detail
    assert error.detail == f"{errno.errorcode[code]}: {os.strerror(code)}"
    assert "/secret" not in f"{error} {error.message}"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/srv/objects/.mizuchi/tmp/1f", " at /srv/objects/.mizuchi/tmp/1f"),
        ("/srv/objects/bucket/alice.mizuchi", ""),
        (b"alice", ""),
        (7, ""),
        (None, ""),
    ],
)
def test_a_path_is_told_where_names_are_the_storages_own(path, shown):
    error = translated(OSError(errno.EACCES, "Permission denied", path))
    assert error.detail == f"EACCES: Permission denied{shown}"


def test_an_error_without_an_errno_is_told_by_its_type():
    assert translated(OSError("/bucket/alice")).detail == "no errno: OSError"


def test_every_errno_of_the_table_is_a_backend_error():
    assert all(issubclass(kind, BackendError) for kind in ERRORS.values())


def test_only_errors_of_the_system_are_translated():
    with pytest.raises(ValueError, match="mine"), TranslatedErrors():
        raise ValueError("mine")
    with pytest.raises(OutOfSpace), TranslatedErrors():
        raise OutOfSpace
