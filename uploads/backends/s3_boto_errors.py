"""What boto3 can fail with, as our own errors. Imported only where boto3 is: it costs a worker 30 MiB."""

from __future__ import annotations

import botocore.exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from . import s3_errors
from .errors import (
    BackendDenied,
    BackendError,
    BackendMisconfigured,
    BackendRefused,
    BackendSlowDown,
    BackendUnavailable,
)
from .s3_errors import Exceptions, answered

_EXCEPTIONS: Exceptions = {
    **s3_errors.EXCEPTIONS,
    HTTPError: BackendUnavailable,
    ResponseParserError: BackendUnavailable,
    # What boto3 makes of the same, and its own configuration and credentials.
    boto.BotoCoreError: BackendMisconfigured,
    boto.ClientError: BackendUnavailable,
    boto.UndefinedModelAttributeError: BackendMisconfigured,
    boto.ConnectionError: BackendUnavailable,
    boto.HTTPClientError: BackendUnavailable,
    boto.SSLError: BackendMisconfigured,
    boto.ChecksumError: BackendUnavailable,
    boto.FlexibleChecksumError: BackendUnavailable,
    boto.IncompleteReadError: BackendUnavailable,
    boto.ParamValidationError: BackendRefused,
    boto.ValidationError: BackendRefused,
    boto.InvalidRegionError: BackendMisconfigured,
    boto.MetadataRetrievalError: BackendUnavailable,
    boto.CapacityNotAvailableError: BackendSlowDown,
    boto.CredentialRetrievalError: BackendDenied,
    boto.LoginError: BackendDenied,
    boto.NoAuthTokenError: BackendDenied,
    boto.NoCredentialsError: BackendDenied,
    boto.PartialCredentialsError: BackendDenied,
    boto.RefreshWithMFAUnsupportedError: BackendDenied,
    boto.SSOError: BackendDenied,
    boto.TokenRetrievalError: BackendDenied,
    boto.UnknownCredentialError: BackendDenied,
}

#: Everything that ``translated`` knows: what to catch around a call of boto3.
FOREIGN = tuple(_EXCEPTIONS)


def translated(operation: str, exception: BaseException) -> BackendError:
    """The error for an exception of ``FOREIGN``."""
    if isinstance(exception, boto.ClientError):
        return _client_error(operation, exception)
    return s3_errors.translated(operation, exception, _EXCEPTIONS)


def kind_of(exception: type[BaseException]) -> type[BackendError]:
    """The error that stands for a class of ``FOREIGN`` (a ClientError is told by its answer instead)."""
    return s3_errors.kind_of(exception, _EXCEPTIONS)


def _client_error(operation: str, exception: boto.ClientError) -> BackendError:
    error = exception.response.get("Error", {})
    metadata = exception.response.get("ResponseMetadata")
    status = metadata["HTTPStatusCode"] if metadata else 500
    code, message = error.get("Code", ""), error.get("Message", "")
    # boto3 makes a code of the status where an answer has no body.
    return answered(
        operation, status, "" if code.isdecimal() else code, message, metadata and metadata.get("RequestId")
    )
