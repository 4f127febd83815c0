"""What a client is told when something fails: one complete table from our error trees to S3 answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import DatabaseError

from authz.errors import AuthError
from uploads.backends import errors as backend
from uploads.s3 import errors as s3


@dataclass(frozen=True, slots=True)
class Failure:
    """An S3 error answer: code, HTTP status, message for the client, extra headers.

    ``detail`` is for the operator's log only. ``is_ours`` is True when nobody foresaw the error.
    """

    code: str
    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""
    is_ours: bool = False


BACKEND_FAILURES: Mapping[type[backend.BackendError], type[s3.S3Error]] = {
    backend.BackendError: s3.ServiceUnavailable,
    backend.BackendUnavailable: s3.ServiceUnavailable,
    backend.BackendSlowDown: s3.SlowDown,
    backend.BackendDenied: s3.ServiceUnavailable,
    backend.BackendMisconfigured: s3.ServiceUnavailable,
    backend.BackendRefused: s3.InvalidRequest,
    backend.OutOfSpace: s3.ServiceUnavailable,
    backend.Unsupported: s3.NotImplemented,
    backend.KeyNotRepresentable: s3.InvalidKey,
    backend.UploadNotFound: s3.NoSuchUpload,
    backend.PartInvalid: s3.InvalidPart,
    backend.PartTooSmall: s3.EntityTooSmall,
    backend.ObjectTooLarge: s3.EntityTooLarge,
    backend.DigestRejected: s3.BadDigest,
    backend.ConditionFailed: s3.PreconditionFailed,
    backend.ConditionConflict: s3.ConditionalRequestConflict,
}


def failure_of(error: BaseException) -> Failure:
    """The answer to ``error``, whatever it is; an error nobody foresaw is InternalError."""
    match error:
        case s3.S3Error():
            return Failure(error.code, error.status, error.message, error.headers)
        case AuthError():
            return Failure(error.code, error.status, error.message, error.headers, error.reason)
        case backend.BackendError():
            kind = next(BACKEND_FAILURES[base] for base in type(error).__mro__ if base in BACKEND_FAILURES)
            return Failure(kind.code, kind.status, error.message, kind.headers, error.detail)
        case DatabaseError():
            kind = s3.ServiceUnavailable
            return Failure(kind.code, kind.status, kind.message, kind.headers, _database_detail(error))
        case _:
            kind = s3.InternalError
            detail = type(error).__name__
            return Failure(kind.code, kind.status, kind.message, kind.headers, detail, is_ours=True)


def _database_detail(error: DatabaseError) -> str:
    """The first line: PostgreSQL's later ones show values of the row."""
    said = str(error).strip().partition("\n")[0]
    return f"database: {type(error).__name__}: {said[:300]}"
