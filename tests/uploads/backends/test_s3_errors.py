"""Every failure of an S3 upstream has a type of ours."""

from __future__ import annotations

import errno
import http.client
import inspect
import socket
import ssl

import botocore.exceptions
import pytest
import urllib3.exceptions
from botocore.parsers import ResponseParserError

from uploads.backends.errors import (
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
from uploads.backends.s3_boto_errors import FOREIGN, kind_of, translated
from uploads.backends.s3_errors import CODES, answered

SECRET = "wJalrXUtnFEMI-secret"


def exceptions_of(module, base: type[BaseException]) -> list[type[BaseException]]:
    found = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, base)]
    return [kind for kind in found if not issubclass(kind, Warning)]


BOTOCORE = exceptions_of(botocore.exceptions, Exception)
URLLIB3 = exceptions_of(urllib3.exceptions, urllib3.exceptions.HTTPError)
HTTP = exceptions_of(http.client, http.client.HTTPException)
SSL = exceptions_of(ssl, ssl.SSLError)


@pytest.mark.parametrize("kind", [*BOTOCORE, *URLLIB3, *HTTP, *SSL, ResponseParserError, OSError], ids=str)
def test_every_foreign_exception_is_caught_and_has_a_type(kind):
    assert issubclass(kind, FOREIGN)
    assert issubclass(kind_of(kind), BackendError)
    assert kind_of(kind) is not BackendError


def client_error(code: str, status: int, message: str = "no") -> botocore.exceptions.ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "R1"},
    }
    return botocore.exceptions.ClientError(response, "HeadBucket")


@pytest.mark.parametrize(
    ("exception", "kind"),
    [
        (botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"), BackendUnavailable),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="http://x"), BackendUnavailable),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="http://x"), BackendUnavailable),
        (botocore.exceptions.ConnectionClosedError(endpoint_url="http://x"), BackendUnavailable),
        (botocore.exceptions.SSLError(endpoint_url="http://x", error="bad"), BackendMisconfigured),
        (botocore.exceptions.NoCredentialsError(), BackendDenied),
        (botocore.exceptions.CredentialRetrievalError(provider="x", error_msg="y"), BackendDenied),
        (botocore.exceptions.ParamValidationError(report="bad"), BackendRefused),
        (botocore.exceptions.ProfileNotFound(profile="x"), BackendMisconfigured),
        (ResponseParserError("garbage"), BackendUnavailable),
        (client_error("404", 404), BackendMisconfigured),
        (client_error("403", 403), BackendDenied),
        (client_error("SlowDown", 503), BackendSlowDown),
        (TimeoutError("timed out"), BackendUnavailable),
        (ConnectionRefusedError(), BackendUnavailable),
        (socket.gaierror(socket.EAI_NONAME, "unknown host"), BackendUnavailable),
        (ssl.SSLCertVerificationError("self-signed"), BackendMisconfigured),
        (ssl.SSLEOFError("eof"), BackendUnavailable),
        (http.client.BadStatusLine("garbage"), BackendUnavailable),
        (http.client.IncompleteRead(b""), BackendUnavailable),
        (OSError(errno.ENOSPC, "full"), OutOfSpace),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_what_a_foreign_exception_means(exception, kind):
    failure = translated("PutObject", exception)
    assert type(failure) is kind
    assert failure.detail.startswith("PutObject: ")


# From the S3 API reference, "List of error codes", those an upload can meet, and some of other servers.
@pytest.mark.parametrize(
    ("code", "kind"),
    {
        "AccessControlListNotSupported": Unsupported,
        "AccessDenied": BackendDenied,
        "AccountProblem": BackendDenied,
        "AllAccessDisabled": BackendDenied,
        "AuthorizationHeaderMalformed": BackendMisconfigured,
        "BadDigest": DigestRejected,
        "ConditionalRequestConflict": ConditionConflict,
        "EntityTooLarge": ObjectTooLarge,
        "EntityTooSmall": PartTooSmall,
        "ExpiredToken": BackendDenied,
        "IllegalLocationConstraintException": BackendMisconfigured,
        "IncompleteBody": BackendUnavailable,
        "InternalError": BackendUnavailable,
        "InvalidAccessKeyId": BackendDenied,
        "InvalidArgument": BackendRefused,
        "InvalidBucketName": BackendMisconfigured,
        "InvalidDigest": DigestRejected,
        "InvalidPart": PartInvalid,
        "InvalidPartOrder": PartInvalid,
        "InvalidRequest": BackendRefused,
        "InvalidStorageClass": Unsupported,
        "InvalidTag": BackendRefused,
        "InvalidToken": BackendDenied,
        "KeyTooLongError": KeyNotRepresentable,
        "MetadataTooLarge": BackendRefused,
        "NoSuchBucket": BackendMisconfigured,
        "NoSuchKey": ConditionFailed,
        "NoSuchUpload": UploadNotFound,
        "NotImplemented": Unsupported,
        "OperationAborted": ConditionConflict,
        "PermanentRedirect": BackendMisconfigured,
        "PreconditionFailed": ConditionFailed,
        "RequestTimeTooSkewed": BackendDenied,
        "RequestTimeout": BackendUnavailable,
        "ServiceUnavailable": BackendUnavailable,
        "SignatureDoesNotMatch": BackendDenied,
        "SlowDown": BackendSlowDown,
        "TemporaryRedirect": BackendUnavailable,
        "TooManyParts": ObjectTooLarge,
        "XAmzContentChecksumMismatch": DigestRejected,
        "XAmzContentSHA256Mismatch": DigestRejected,
        "XMinioStorageFull": OutOfSpace,
        "QuotaExceeded": OutOfSpace,
    }.items(),
)
def test_what_an_s3_code_means(code, kind):
    assert type(answered("PutObject", 400, code, "no")) is kind


def test_no_code_is_left_to_its_status_by_accident():
    assert all(issubclass(kind, BackendError) and kind is not BackendError for kind in CODES.values())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, BackendMisconfigured),
        (400, BackendRefused),
        (401, BackendDenied),
        (403, BackendDenied),
        (404, BackendMisconfigured),
        (405, BackendMisconfigured),
        (409, ConditionConflict),
        (412, ConditionFailed),
        (413, ObjectTooLarge),
        (418, BackendRefused),
        (429, BackendSlowDown),
        (500, BackendUnavailable),
        (501, Unsupported),
        (502, BackendUnavailable),
        (503, BackendUnavailable),
        (504, BackendUnavailable),
        (507, OutOfSpace),
        (599, BackendUnavailable),
        (200, BackendUnavailable),
        (700, BackendUnavailable),
    ],
)
def test_without_a_known_code_the_status_decides(status, kind):
    assert type(answered("PutObject", status, "SomethingNew", "no")) is kind
    assert type(answered("PutObject", status, "", "")) is kind


def test_a_refusal_tells_the_client_the_code_and_why():
    failure = answered("PutObject", 400, "InvalidTag", "The tag is too long", "R1")
    assert failure.message == "The storage refused the upload: InvalidTag: The tag is too long"
    assert failure.detail == "PutObject: 400 InvalidTag (request id R1)"


def test_a_message_of_the_upstream_is_cut_and_on_one_line():
    failure = answered("PutObject", 400, "InvalidTag", "x\r\n" * 1000)
    assert len(failure.message) < 400
    assert "\n" not in failure.message + failure.detail


def test_other_failures_tell_the_client_nothing_of_the_upstream():
    failure = answered("PutObject", 404, "NoSuchBucket", "bucket internal-7 at 10.0.0.1", "R1")
    assert "internal-7" not in f"{failure} {failure.message} {failure.detail}"
    assert failure.detail == "PutObject: 404 NoSuchBucket (request id R1)"


@pytest.mark.parametrize(
    ("code", "request_id", "detail"),
    [
        ("Access Denied to alice", "R1", "PutObject: 403 (request id R1)"),
        ("alice@example.org", "", "PutObject: 403"),
        ("AccessDenied", "R1 alice", "PutObject: 403 AccessDenied"),
        ("KMS.NotFoundException", "a/b+c=", "PutObject: 403 KMS.NotFoundException (request id a/b+c=)"),
    ],
)
def test_of_an_answer_the_log_has_what_looks_like_a_code_and_an_id(code, request_id, detail):
    assert answered("PutObject", 403, code, "alice may not", request_id).detail == detail


def caused(exception, cause):
    exception.__cause__ = cause
    return exception


@pytest.mark.parametrize(
    ("exception", "detail"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "certificate verify failed"),
        (
            caused(
                botocore.exceptions.EndpointConnectionError(endpoint_url=f"http://s3/bucket/{SECRET}"),
                caused(ValueError(SECRET), ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")),
            ),
            "Connection refused",
        ),
        (botocore.exceptions.ReadTimeoutError(endpoint_url=f"http://s3/bucket/{SECRET}"), ""),
        (botocore.exceptions.ParamValidationError(report=SECRET), ""),
        (ResponseParserError(SECRET), ""),
        (http.client.BadStatusLine(SECRET), ""),
        (TimeoutError(SECRET), ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_of_an_exception_the_log_has_its_type_and_what_the_system_said(exception, detail):
    failure = translated("PutObject", exception)
    assert failure.detail == f"PutObject: {type(exception).__name__}" + (f": {detail}" if detail else "")
    assert SECRET not in f"{failure} {failure.message}"


def test_what_a_credential_provider_said_is_not_repeated():
    exception = botocore.exceptions.CredentialRetrievalError(provider="process", error_msg=SECRET)
    failure = translated("PutObject", exception)
    assert SECRET not in f"{failure} {failure.message} {failure.detail}"
    assert failure.detail == "PutObject: CredentialRetrievalError"
