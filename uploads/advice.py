"""What an error code means to whoever runs the gateway, and what can be done: for the desk, not for clients.

Clients are told by the message of the error itself, see ``uploads.s3.errors``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Advice(NamedTuple):
    """``meaning`` is what happened, ``remedy`` what to do about it."""

    meaning: str
    remedy: str


_CLIENT_BUG = "Nothing here. The client's author has to mend it: show the request id and this line."
_NEW_TOKEN = "Nothing here. The client gets a new token from the identity provider and goes on."  # noqa: S105

ADVICE: Final[Mapping[str, Advice]] = {
    "Abandoned": Advice(
        "The upload never ended, and the host that received it is no more.",
        "Nothing: no half of it is stored. The client may send it again.",
    ),
    "AccessDenied": Advice(
        "The caller is known, or sends no credentials, and may not do this: its key is not for "
        "this bucket, a policy says no, a presigned URL or POST policy is over, or its conditions "
        "do not hold.",
        "Look at the decision of the policy, then at the buckets of the access key. The answer's "
        "message says which of them it was.",
    ),
    "AccessForbidden": Advice(
        "A page of another site asked, and the bucket's CORS rules do not let it send such a request.",
        "If it should be let: add its origin, the method and its headers to buckets[].cors.",
    ),
    "AuthorizationHeaderMalformed": Advice(
        "The Authorization header is no Signature Version 4, or names another region or date.",
        "Set the client's region and signature version. Old tools sign with Version 2, which is "
        "not accepted.",
    ),
    "AuthorizationQueryParametersError": Advice(
        "A presigned URL is incomplete or was changed on its way.",
        "Make it anew. E-mail programs and shells cut URLs at & and %: quote it.",
    ),
    "BadDigest": Advice(
        "What came has another MD5 or checksum than the client said. Nothing is stored.",
        "Send it again. When it happens again and again, something between changes the body, or "
        "the file was written to while it was sent.",
    ),
    "BucketAlreadyOwnedByYou": Advice(
        "The client tried to make a bucket that is there.",
        "Nothing: it may upload. Most clients go on.",
    ),
    "ConditionalRequestConflict": Advice(
        "Two conditional writes to the same key at the same time.",
        "Nothing. The client tries again.",
    ),
    "EntityTooLarge": Advice(
        "The object is larger than the limit of its bucket, the part larger than that of parts, "
        "or the file larger than a POST policy allows.",
        "Raise limits.max_object_bytes of the bucket if it should be allowed, or have the client send less.",
    ),
    "EntityTooSmall": Advice(
        "A part other than the last has less than 5 MiB, or a file less than its POST policy asks for.",
        "Set the client's part size to 5 MiB or more (8 MiB is usual).",
    ),
    "Expired": Advice(
        "Nobody finished this multipart upload in time: prune_uploads ended it and removed its parts.",
        "Nothing, unless clients need longer: then raise multipart.expiry_hours.",
    ),
    "ExpiredToken": Advice(
        "The token or session of the caller is over.",
        _NEW_TOKEN,
    ),
    "IncompleteBody": Advice(
        "The body ended early, went on too long, or its chunks are malformed: mostly a connection "
        "that broke.",
        "Send it again. When it is always the same client, look at its network and at proxies "
        "between that cut long requests.",
    ),
    "InternalError": Advice(
        "A fault of the gateway that nobody foresaw.",
        "Find the request id in the log, where its traceback is, and report it.",
    ),
    "InvalidAccessKeyId": Advice(
        "No such access key, or it is disabled or has expired.",
        "Look it up among the access keys; enable it, extend it or make another.",
    ),
    "InvalidArgument": Advice(
        "A parameter, part number, header, content type or key is not acceptable here.",
        "Compare with the bucket's limits (content types) and its storage (keys it cannot hold). "
        "The answer's message says which.",
    ),
    "InvalidBucketName": Advice(
        "What the client calls a bucket cannot be the name of one.",
        _CLIENT_BUG,
    ),
    "InvalidChunkSizeError": Advice(
        "A chunk of an aws-chunked body is under 8 KiB.",
        _CLIENT_BUG,
    ),
    "InvalidDigest": Advice(
        "A Content-MD5 or checksum header is not the Base64 of a digest.",
        _CLIENT_BUG,
    ),
    "InvalidPart": Advice(
        "The list of parts names one that is not there, or whose ETag or checksum is another.",
        "The client sends that part again. Some clients lose parts when they are resumed with another file.",
    ),
    "InvalidPartOrder": Advice(
        "The list of parts is not in ascending order.",
        _CLIENT_BUG,
    ),
    "InvalidPolicyDocument": Advice(
        "The policy of a POST form cannot be read.",
        "Make the form anew.",
    ),
    "InvalidRequest": Advice(
        "Options of the request exclude each other, the signature is of another version, or the "
        "storage refused the object for a reason of its own.",
        "The answer's message says which; what a storage said is in the log.",
    ),
    "InvalidTag": Advice(
        "The tags of the object are too many, too long or malformed.",
        _CLIENT_BUG,
    ),
    "InvalidToken": Advice(
        "A token is not valid here: another issuer or audience, a key that is not known, claims "
        "that are missing; or a session token without the key that belongs to it.",
        "The log says why, with the request id. Compare the bucket's rules with the token's claims.",
    ),
    "InvalidURI": Advice(
        "The path is not UTF-8 or has a control character.",
        _CLIENT_BUG,
    ),
    "KeyTooLongError": Advice(
        "The key has over 1,024 bytes, with the bucket's prefix.",
        "Choose a shorter key.",
    ),
    "MalformedPOSTRequest": Advice(
        "The form is not well-formed multipart/form-data.",
        _CLIENT_BUG,
    ),
    "MalformedTrailerError": Advice(
        "The trailer of the body differs from what was announced, or is missing.",
        "Send it again; proxies between may drop trailers.",
    ),
    "MalformedXML": Advice(
        "A document that the client sent is not what S3 describes.",
        _CLIENT_BUG,
    ),
    "MaxMessageLengthExceeded": Advice(
        "A document that the client sent is too long.",
        _CLIENT_BUG,
    ),
    "MaxPostPreDataLengthExceededError": Advice(
        "The fields of a form before its file have over 20 KB.",
        "Put fewer or shorter fields before the file.",
    ),
    "MetadataTooLarge": Advice(
        "The metadata of the object has over 2 KB.",
        "Have the client send less.",
    ),
    "MethodNotAllowed": Advice(
        "Somebody tried to download, list or delete: this gateway only takes uploads.",
        "Point that program at the storage itself.",
    ),
    "MissingContentLength": Advice(
        "Nothing in the request would tell a body that was cut off from a whole one.",
        "Have the client send a length or a checksum; for streams, aws-chunked with a trailing checksum.",
    ),
    "MissingSecurityHeader": Advice(
        "A header that the signature needs is missing.",
        _CLIENT_BUG,
    ),
    "NoSuchBucket": Advice(
        "No bucket has this name here.",
        "Correct the name in the client, or add the bucket to the configuration. Clients set to "
        "virtual-hosted addresses need server.domain.",
    ),
    "NoSuchKey": Advice(
        "The client asked for a receipt of something that it has not uploaded here.",
        "Mostly nothing: clients look before they upload.",
    ),
    "NoSuchUpload": Advice(
        "The multipart upload is over, was pruned, or belongs to somebody else.",
        "The client begins another. If it was pruned too early, raise multipart.expiry_hours.",
    ),
    "NotImplemented": Advice(
        "A header asks for what this gateway or the bucket's storage does not have.",
        "Leave it out, or give the bucket a storage that has it. The message names the header.",
    ),
    "PreconditionFailed": Advice(
        "If-None-Match or If-Match does not hold: the key exists, or changed.",
        "Nothing: that is what the client asked for.",
    ),
    "QuotaExceeded": Advice(
        "The quota of the bucket, or of this principal in it, leaves no room for the upload.",
        "manage.py quotas shows what is used. Raise buckets[].quota, or delete what is not needed "
        "together with its records, and recount.",
    ),
    "RequestTimeTooSkewed": Advice(
        "The client's clock and this machine's are more than 15 minutes apart.",
        "Set the client's clock. When all clients fail, look at this machine's.",
    ),
    "RequestTimeout": Advice(
        "Nothing came from the client for longer than server.body_stall_seconds.",
        "The client's network; it sends again. Raise body_stall_seconds only for clients that "
        "pause on purpose.",
    ),
    "ServiceUnavailable": Advice(
        "The storage, the database, a policy engine or an identity provider was out of reach, "
        "full or wrongly set up. Nothing of the upload is visible.",
        "See which storage it is in the trace or the log, and whether /readyz says that it is out of reach.",
    ),
    "SignatureDoesNotMatch": Advice(
        "The signature, or that of a chunk of the body, is not the one that the secret gives.",
        "The signature doctor says what differs. Mostly it is a wrong secret, a proxy that "
        "changes host, path or headers, or a key with characters that the client encodes in its "
        "own way.",
    ),
    "SlowDown": Advice(
        "The principal reached its limit of requests or of uploads at the same time, or the storage asks "
        "for fewer requests.",
        "Nothing at first: clients slow down. mizuchi.limit.kind of the trace says which limit it was: "
        "raise throttle if it should be more. Without it: more storage.",
    ),
    "WorkerDied": Advice(
        "The process that received it was killed or crashed. Nothing half-received is stored.",
        "The client sends it again. The log says what ended the worker; often it is a lack of memory.",
    ),
    "XAmzContentSHA256Mismatch": Advice(
        "The body is not the one that was signed. Nothing is stored.",
        "Send it again. When it happens again and again, something between changes the body.",
    ),
}


def advice_for(code: str) -> Advice | None:
    """None for a code that is not ours (a storage's own)."""
    return ADVICE.get(code)
