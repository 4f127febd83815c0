"""The S3 errors this gateway answers with, by name of their S3 code.

Codes and statuses: S3 API reference, "Error responses". ``message`` says what to do. Errors of
authentication are in ``authz.errors``, those of storage in ``uploads.backends.errors``; the exception
handler turns all three into S3 XML.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Limit(NamedTuple):
    """Which limit refused a request, as its trace tells. ``reason`` is whose: ``principal`` over all buckets,
    ``bucket`` for a principal in it; of a quota with what there is too much of, like ``bucket_bytes``."""

    kind: Literal["rate", "concurrency", "quota"]
    reason: str


class S3Error(Exception):
    """Base: S3 code, HTTP status, message; ``headers`` go with the answer."""

    code = "InternalError"
    status = 500
    message = "We encountered an internal error. Please try again."
    headers: dict[str, str] = {}
    limit: Limit | None = None

    def __init__(self, message: str | None = None) -> None:
        self.message = message or type(self).message
        super().__init__(self.message)


class InternalError(S3Error):
    """A fault of ours; the details are in the operator's log."""


class AccessForbidden(S3Error):
    """The S3 error of this name."""

    code = "AccessForbidden"
    status = 403
    message = (
        "CORSResponse: this bucket lets no page of this origin send such a request. The origin, the method "
        "or a header is not in its CORS rules."
    )


class BadDigest(S3Error):
    """The S3 error of this name."""

    code = "BadDigest"
    status = 400
    message = "The Content-MD5 or checksum you specified did not match what we received. Send the body again."


class BucketAlreadyOwnedByYou(S3Error):
    """The S3 error of this name."""

    code = "BucketAlreadyOwnedByYou"
    status = 409
    message = (
        "The bucket exists and you may upload to it. Buckets are made by the operator, not by this request."
    )


class ContentTypeNotAllowed(S3Error):
    """S3 code ``InvalidArgument``."""

    code = "InvalidArgument"
    status = 400
    message = "This bucket does not accept this Content-Type. Ask the operator which types it takes."


class EntityTooLarge(S3Error):
    """The S3 error of this name."""

    code = "EntityTooLarge"
    status = 400
    message = "Your proposed upload exceeds the maximum allowed object size of this bucket."


class EntityTooSmall(S3Error):
    """The S3 error of this name."""

    code = "EntityTooSmall"
    status = 400
    message = (
        "Your proposed upload is smaller than the minimum allowed size. Every part but the last "
        "has at least 5 MiB."
    )


class IncompleteBody(S3Error):
    """The S3 error of this name."""

    code = "IncompleteBody"
    status = 400
    message = (
        "You did not provide the number of bytes promised by the Content-Length or "
        "x-amz-decoded-content-length header. Send the body again."
    )


class InvalidArgument(S3Error):
    """The S3 error of this name."""

    code = "InvalidArgument"
    status = 400
    message = "An argument of the request is not valid."


class InvalidBucketName(S3Error):
    """The S3 error of this name."""

    code = "InvalidBucketName"
    status = 400
    message = "The specified bucket is not valid."


class InvalidChunkSizeError(S3Error):
    """The S3 error of this name."""

    code = "InvalidChunkSizeError"
    status = 400
    message = "An aws-chunked chunk, other than the last, is smaller than 8 KiB or its size is malformed."


class InvalidDigest(S3Error):
    """The S3 error of this name."""

    code = "InvalidDigest"
    status = 400
    message = (
        "The Content-MD5 or checksum value you specified is not valid: it is the Base64 of the "
        "digest's bytes."
    )


class InvalidKey(S3Error):
    """S3 code ``InvalidArgument``."""

    code = "InvalidArgument"
    status = 400
    message = "The object key is not acceptable here."


class InvalidPart(S3Error):
    """The S3 error of this name."""

    code = "InvalidPart"
    status = 400
    message = (
        "One or more of the specified parts could not be found, or the ETag did not match. Upload "
        "the part again."
    )


class InvalidPartNumber(S3Error):
    """S3 code ``InvalidArgument``."""

    code = "InvalidArgument"
    status = 400
    message = "Part number must be an integer between 1 and 10000, inclusive."


class InvalidPartOrder(S3Error):
    """The S3 error of this name."""

    code = "InvalidPartOrder"
    status = 400
    message = "The list of parts was not in ascending order. Sort the parts by part number."


class InvalidRequest(S3Error):
    """The S3 error of this name."""

    code = "InvalidRequest"
    status = 400
    message = "The request is not valid."


class InvalidPolicyDocument(S3Error):
    """The S3 error of this name."""

    code = "InvalidPolicyDocument"
    status = 400
    message = "The policy of the form is not a valid POST policy. Make it anew."


class InvalidTag(S3Error):
    """The S3 error of this name."""

    code = "InvalidTag"
    status = 400
    message = "The tags are not valid: at most 10, keys of 1 to 128 and values of up to 256 characters."


class InvalidTrailer(S3Error):
    """S3 code ``MalformedTrailerError``."""

    code = "MalformedTrailerError"
    status = 400
    message = "The trailing part of the aws-chunked body is malformed or differs from x-amz-trailer."


class KeyTooLongError(S3Error):
    """The S3 error of this name."""

    code = "KeyTooLongError"
    status = 400
    message = "Your key is too long: at most 1,024 bytes of UTF-8."


class MalformedChunk(S3Error):
    """S3 code ``IncompleteBody``."""

    code = "IncompleteBody"
    status = 400
    message = "The aws-chunked framing of the body is malformed. Send the body again."


class MalformedPOSTRequest(S3Error):
    """The S3 error of this name."""

    code = "MalformedPOSTRequest"
    status = 400
    message = "The body of your POST request is not well-formed multipart/form-data."


class MalformedXML(S3Error):
    """The S3 error of this name."""

    code = "MalformedXML"
    status = 400
    message = "The XML you provided was not well-formed or did not validate against the published schema."


class MaxMessageLengthExceeded(S3Error):
    """The S3 error of this name."""

    code = "MaxMessageLengthExceeded"
    status = 400
    message = "Your request was too big. Send a shorter body."


class MaxPostPreDataLengthExceeded(S3Error):
    """S3 code ``MaxPostPreDataLengthExceededError``."""

    code = "MaxPostPreDataLengthExceededError"
    status = 400
    message = "Your POST request fields preceding the upload file were too large: 20 KB together."


class MetadataTooLarge(S3Error):
    """The S3 error of this name."""

    code = "MetadataTooLarge"
    status = 400
    message = "Your metadata headers exceed the maximum allowed metadata size of 2 KB."


class MethodNotAllowed(S3Error):
    """The S3 error of this name."""

    code = "MethodNotAllowed"
    status = 405
    message = (
        "This gateway is upload-only by design: it has no downloads, listings or deletions. Use "
        "the storage behind it for these."
    )


class MissingContentLength(S3Error):
    """The S3 error of this name."""

    code = "MissingContentLength"
    status = 411
    message = (
        "You must provide the Content-Length HTTP header, x-amz-decoded-content-length, or a "
        "digest of the body."
    )


class NoSuchBucket(S3Error):
    """The S3 error of this name."""

    code = "NoSuchBucket"
    status = 404
    message = "The specified bucket does not exist at this gateway. Ask the operator for the bucket's name."


class NoSuchKey(S3Error):
    """The S3 error of this name."""

    code = "NoSuchKey"
    status = 404
    message = "No object with this key was uploaded by you through this gateway."


class NoSuchUpload(S3Error):
    """The S3 error of this name."""

    code = "NoSuchUpload"
    status = 404
    message = (
        "The specified multipart upload does not exist. The upload id may be invalid, or the "
        "upload was aborted or completed."
    )


class NotImplemented(S3Error):
    """The S3 error of this name."""

    code = "NotImplemented"
    status = 501
    message = (
        "A header or option of the request asks for something this gateway or its storage does "
        "not have. Leave it out."
    )


class PreconditionFailed(S3Error):
    """The S3 error of this name."""

    code = "PreconditionFailed"
    status = 412
    message = "At least one of the preconditions you specified did not hold."


class ConditionalRequestConflict(S3Error):
    """The S3 error of this name."""

    code = "ConditionalRequestConflict"
    status = 409
    message = "A conflicting operation occurred during the conditional request. Try again."


class QuotaExceeded(S3Error):
    """No error of S3's own; Ceph's object gateway has it by this name."""

    code = "QuotaExceeded"
    status = 403
    message = "The quota of this bucket, or yours in it, leaves no room for this. Ask the operator for more."

    def __init__(self, message: str | None = None, *, reason: str = "") -> None:
        super().__init__(message)
        self.limit = Limit("quota", reason) if reason else None


class RequestTimeout(S3Error):
    """The S3 error of this name."""

    code = "RequestTimeout"
    status = 400
    message = (
        "Your socket connection to the server was not read from or written to within the timeout "
        "period. Send the request again."
    )
    headers = {"Connection": "close"}


class ServiceUnavailable(S3Error):
    """The S3 error of this name."""

    code = "ServiceUnavailable"
    status = 503
    message = "The service is unable to handle the request now. Try again later."
    headers = {"Retry-After": "2"}


class SlowDown(S3Error):
    """The S3 error of this name."""

    code = "SlowDown"
    status = 503
    message = "Please reduce your request rate."
    headers = {"Retry-After": "2"}


class Throttled(SlowDown):
    """S3 code ``SlowDown``: a limit of this gateway was reached. The message says which kind."""

    def __init__(
        self, message: str | None = None, *, limit: Limit | None = None, retry_after_seconds: int = 2
    ) -> None:
        super().__init__(message)
        self.limit = limit
        self.headers = {"Retry-After": str(retry_after_seconds)}


class InvalidURI(S3Error):
    """The S3 error of this name."""

    code = "InvalidURI"
    status = 400
    message = "Could not parse the specified URI: it is not valid UTF-8 or has a control character."


class XAmzContentSHA256Mismatch(S3Error):
    """The S3 error of this name."""

    code = "XAmzContentSHA256Mismatch"
    status = 400
    message = (
        "The provided x-amz-content-sha256 header does not match what was computed. Send the body again."
    )


class ChunkSignatureDoesNotMatch(S3Error):
    """S3 code ``SignatureDoesNotMatch``."""

    code = "SignatureDoesNotMatch"
    status = 403
    message = (
        "The signature of a chunk or trailer of the body does not match. Check the key and that "
        "nothing changes the body on its way."
    )


class PolicyConditionFailed(S3Error):
    """S3 code ``AccessDenied``."""

    code = "AccessDenied"
    status = 403
    message = "Invalid according to Policy: a condition of the POST policy does not hold."


class KeyPatternNotAllowed(S3Error):
    """S3 code ``AccessDenied``."""

    code = "AccessDenied"
    status = 403
    message = "This bucket does not accept this key. Ask the operator for the pattern of keys it takes."
