"""What an S3 upstream and the way to it can fail with, as our own errors: one table for each kind.

The S3 codes are those of the S3 API reference, "List of error codes", and of MinIO, Ceph and SeaweedFS
where these differ. A code that is not listed falls back to its HTTP status.
"""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Mapping

from .errors import (
    BackendDenied,
    BackendError,
    BackendMisconfigured,
    BackendRefused,
    BackendSlowDown,
    BackendUnavailable,
    ConditionConflict,
    ConditionFailed,
    DigestRejected,
    KeyNotRepresentable,
    ObjectTooLarge,
    OutOfSpace,
    PartInvalid,
    PartTooSmall,
    Unsupported,
    UploadNotFound,
)

MESSAGE_CHARACTERS = 300

# What the operator is told of an answer. Messages of services hold keys and names of users; none is repeated.
_CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,79}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_/+=-]{1,128}")

_CODES_BY_ERROR: Mapping[type[BackendError], str] = {
    BackendUnavailable: """
        Busy IncompleteBody InternalError RequestTimeout ServiceUnavailable TemporaryRedirect
        XMinioServerNotInitialized""",
    BackendSlowDown: """
        BandwidthLimitExceeded RequestLimitExceeded SlowDown SlowDownRead SlowDownWrite Throttling
        ThrottlingException TooManyRequests""",
    BackendDenied: """
        AccessDenied AccountProblem AllAccessDisabled ExpiredToken InvalidAccessKeyId InvalidPayer
        InvalidSecurity InvalidToken NotSignedUp RequestExpired RequestTimeTooSkewed SignatureDoesNotMatch
        TokenRefreshRequired UnauthorizedAccess""",
    BackendMisconfigured: """
        AuthorizationHeaderMalformed IllegalLocationConstraintException IncorrectEndpoint InvalidBucketName
        InvalidBucketState InvalidRegion InvalidRegionName KMS.DisabledException KMS.KMSInvalidStateException
        KMS.NotFoundException MethodNotAllowed NoSuchAccessPoint NoSuchBucket PermanentRedirect Redirect
        UnsupportedSignature""",
    BackendRefused: """
        EncryptionTypeMismatch InvalidArgument InvalidEncryptionAlgorithmError InvalidObjectState
        InvalidRequest InvalidTag MalformedACLError MalformedXML MaxMessageLengthExceeded MetadataTooLarge
        MissingContentLength RequestHeaderSectionTooLarge UserKeyMustBeSpecified""",
    OutOfSpace: "InsufficientStorage QuotaExceeded XMinioAdminBucketQuotaExceeded XMinioStorageFull",
    Unsupported: "AccessControlListNotSupported InvalidStorageClass NotImplemented",
    KeyNotRepresentable: "InvalidURI KeyTooLongError XMinioInvalidObjectName XMinioParentIsObject",
    UploadNotFound: "NoSuchUpload",
    PartInvalid: "InvalidPart InvalidPartNumber InvalidPartOrder",
    PartTooSmall: "EntityTooSmall",
    ObjectTooLarge: "EntityTooLarge TooManyParts",
    DigestRejected: "BadDigest InvalidDigest XAmzContentChecksumMismatch XAmzContentSHA256Mismatch",
    # Only a write with If-Match can miss a key.
    ConditionFailed: "NoSuchKey PreconditionFailed",
    ConditionConflict: "ConditionalRequestConflict OperationAborted",
}

CODES: Mapping[str, type[BackendError]] = {
    code: error for error, codes in _CODES_BY_ERROR.items() for code in codes.split()
}

_STATUSES: Mapping[int, type[BackendError]] = {
    401: BackendDenied,
    403: BackendDenied,
    404: BackendMisconfigured,
    405: BackendMisconfigured,
    409: ConditionConflict,
    412: ConditionFailed,
    413: ObjectTooLarge,
    429: BackendSlowDown,
    501: Unsupported,
    507: OutOfSpace,
}

_STATUS_CLASSES: Mapping[int, type[BackendError]] = {3: BackendMisconfigured, 4: BackendRefused}

Exceptions = Mapping[type[BaseException], type[BackendError]]
"""The nearest class in an exception's order of base classes decides."""

EXCEPTIONS: Exceptions = {
    OSError: BackendUnavailable,
    ssl.SSLError: BackendMisconfigured,
    ssl.SSLEOFError: BackendUnavailable,
    ssl.SSLSyscallError: BackendUnavailable,
    ssl.SSLWantReadError: BackendUnavailable,
    ssl.SSLWantWriteError: BackendUnavailable,
    ssl.SSLZeroReturnError: BackendUnavailable,
    http.client.HTTPException: BackendUnavailable,
}

_MAX_CAUSES = 8

#: Everything that ``translated`` knows: what to catch around the use of a socket.
FOREIGN = tuple(EXCEPTIONS)


def answered(
    operation: str, status: int, code: str, message: str, request_id: str | None = None
) -> BackendError:
    """The error for an answer of the upstream. Pass ``""`` where it had no body, as to HEAD.

    A refused request's own client is told why in the upstream's words; the log has code and request id.
    """
    kind = CODES.get(code) or _STATUSES.get(status) or _STATUS_CLASSES.get(status // 100, BackendUnavailable)
    detail = f"{operation}: {status} {code if _CODE.fullmatch(code) else ''}".rstrip()
    if request_id and _REQUEST_ID.fullmatch(request_id):
        detail += f" (request id {request_id})"
    said = ": ".join(filter(None, (_one_line(code), _one_line(message))))
    if kind is BackendRefused and said:
        return kind(f"The storage refused the upload: {said}", detail=detail)
    return kind(detail=detail)


def translated(operation: str, exception: BaseException, known: Exceptions = EXCEPTIONS) -> BackendError:
    """The error for an exception that is ``known``. Texts hold URLs with keys, documents, or what a
    credential provider said: the operator gets types, and what the system said."""
    detail = f"{operation}: {type(exception).__name__}"
    if said := _said_by_the_system(exception):
        detail += f": {said}"
    if isinstance(exception, OSError) and exception.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfSpace(detail=detail)
    return kind_of(type(exception), known)(detail=detail)


def kind_of(exception: type[BaseException], known: Exceptions = EXCEPTIONS) -> type[BackendError]:
    """The error that stands for a class."""
    return next(known[base] for base in exception.__mro__ if base in known)


def _said_by_the_system(exception: BaseException) -> str:
    """What the first error of the operating system, resolver or TLS among the causes says, ``""`` without."""
    cause: BaseException | None = exception
    for _ in range(_MAX_CAUSES):
        if isinstance(cause, ssl.SSLError | socket.gaierror) or (isinstance(cause, OSError) and cause.errno):
            return _one_line(cause.strerror or "")
        if cause is None:
            break
        cause = cause.__cause__ or cause.__context__
    return ""


def _one_line(text: str) -> str:
    """Text of the upstream as it may stand in a log line or an answer."""
    return " ".join(text.split())[:MESSAGE_CHARACTERS]
