"""What a storage backend can fail with.

BackendError                     answered to the client as
|- BackendUnavailable            503 ServiceUnavailable, Retry-After
|- BackendSlowDown               503 SlowDown, Retry-After
|- BackendDenied                 503 ServiceUnavailable: the operator's credentials or policy are wrong
|- BackendMisconfigured          503 ServiceUnavailable: bucket missing, region wrong, TLS
|- BackendRefused                400 InvalidRequest with the backend's S3 code and message
|- OutOfSpace                    507 InsufficientStorage -> 503 ServiceUnavailable
|- Unsupported                   501 NotImplemented: the backend cannot honour what was asked
|- KeyNotRepresentable           400 InvalidArgument: this backend cannot store this key
|- UploadNotFound                404 NoSuchUpload
|- PartInvalid                   400 InvalidPart
|- PartTooSmall                  400 EntityTooSmall
|- ObjectTooLarge                400 EntityTooLarge
|- DigestRejected                400 BadDigest: the backend verified and disagreed
|- ConditionFailed               412 PreconditionFailed
`- ConditionConflict             409 ConditionalRequestConflict

Foreign exceptions (OSError, botocore's, http.client's) are translated into these once, in the
backend, from a table. ``message`` is for the client and holds no host, path or credential;
``detail`` is for the operator's log.
"""

from __future__ import annotations


class BackendError(Exception):
    """Base of everything a backend raises on purpose."""

    message = "The storage behind this gateway failed. Try again."
    status = 503
    """Of the answer (RFC 9110): below 500 it is the client's fault, and traces say so."""

    def __init__(self, message: str | None = None, *, detail: str = "") -> None:
        self.message = message or type(self).message
        self.detail = detail
        super().__init__(f"{self.message} [{detail}]" if detail else self.message)


class BackendUnavailable(BackendError):
    """The storage cannot be reached, timed out or answered 5xx."""

    message = "The storage behind this gateway cannot be reached now. Try again later."


class BackendSlowDown(BackendError):
    """The storage asks for fewer requests."""

    message = "The storage behind this gateway asks for fewer requests. Try again later."


class BackendDenied(BackendError):
    """The storage refuses the gateway's own credentials."""

    message = "The storage refuses this gateway. The operator must check its credentials."


class BackendMisconfigured(BackendError):
    """The configured bucket, region, endpoint or certificate is wrong."""

    message = "The storage behind this gateway is not set up for this bucket. Ask the operator."


class BackendRefused(BackendError):
    """The storage refused the request for a reason of its own (a 4xx without a type here)."""

    message = "The storage refused the upload."
    status = 400


class OutOfSpace(BackendError):
    """No space, quota or inodes left."""

    message = "The storage behind this gateway is full. Try again later or ask the operator."


class Unsupported(BackendError):
    """The storage has no such feature, and dropping it silently would be a lie."""

    message = "The storage of this bucket cannot honour a header of this request. Leave it out."
    status = 501


class KeyNotRepresentable(BackendError):
    """The storage has no way to hold this key (empty segment, too long a name, a folder of that name)."""

    message = "The storage of this bucket cannot hold an object with this key. Choose another key."
    status = 400


class UploadNotFound(BackendError):
    """No multipart upload with this id."""

    message = "The specified multipart upload does not exist. It may have been aborted or completed."
    status = 404


class PartInvalid(BackendError):
    """A part of the list is missing or its ETag or checksum differs."""

    message = "One or more of the specified parts could not be found or did not match. Upload the part again."
    status = 400


class PartTooSmall(BackendError):
    """A part other than the last is smaller than 5 MiB."""

    message = "Your proposed upload is smaller than the minimum allowed size: parts have at least 5 MiB."
    status = 400


class ObjectTooLarge(BackendError):
    """Larger than the storage can hold in one object."""

    message = "Your proposed upload exceeds the maximum allowed object size of the storage."
    status = 400


class DigestRejected(BackendError):
    """The storage verified a digest and disagreed."""

    message = "The digest you specified did not match what the storage received. Send the body again."
    status = 400


class ConditionFailed(BackendError):
    """``If-None-Match: *`` or ``If-Match`` does not hold."""

    message = "At least one of the preconditions you specified did not hold."
    status = 412


class ConditionConflict(BackendError):
    """Another write to the same key was under way."""

    message = "A conflicting operation occurred during the conditional request. Try again."
    status = 409
