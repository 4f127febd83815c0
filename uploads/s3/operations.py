"""The operations of the S3 REST API that this gateway answers, as a routing table.

Routing looks at the method, at whether a bucket and a key are named, and at which query keys are
present. Other query keys (``x-id``, ``X-Amz-*`` of presigned URLs) never decide, but the keys of S3's
subresources do: ``PUT /b/k?acl`` must not become an object, so they are refused by name.
Source: S3 API reference, "Actions".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

from . import errors
from .addressing import Address
from .errors import InvalidArgument, InvalidRequest, MethodNotAllowed

_UPLOAD_ONLY = "This gateway is upload-only by design and does not answer {}. Use the storage behind it."


_ACTIONS = {
    "PostObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "ListParts": "s3:ListMultipartUploadParts",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
}


class Operation(Enum):
    """An S3 operation; the value is its name in the S3 API reference.

    ``action`` is the right that the operation needs, as an IAM action of S3.
    """

    action: str

    PUT_OBJECT = "PutObject"
    POST_OBJECT = "PostObject"
    CREATE_MULTIPART_UPLOAD = "CreateMultipartUpload"
    UPLOAD_PART = "UploadPart"
    COMPLETE_MULTIPART_UPLOAD = "CompleteMultipartUpload"
    ABORT_MULTIPART_UPLOAD = "AbortMultipartUpload"
    LIST_PARTS = "ListParts"
    LIST_MULTIPART_UPLOADS = "ListMultipartUploads"
    HEAD_BUCKET = "HeadBucket"
    GET_BUCKET_LOCATION = "GetBucketLocation"
    CREATE_BUCKET = "CreateBucket"
    HEAD_OBJECT = "HeadObject"

    def __init__(self, name: str) -> None:
        self.action = _ACTIONS.get(name, f"s3:{name}")

    __hash__ = object.__hash__  # Enum's own is Python, and every request looks operations up

    @property
    def has_body(self) -> bool:
        """Whether the operation reads its body; the body of any other is ignored, as S3 does."""
        return self in _WITH_BODY


_WITH_BODY = frozenset(
    {
        Operation.PUT_OBJECT,
        Operation.POST_OBJECT,
        Operation.UPLOAD_PART,
        Operation.COMPLETE_MULTIPART_UPLOAD,
    }
)


class Scope(Enum):
    """What a request names."""

    SERVICE = "the service"
    BUCKET = "a bucket"
    OBJECT = "an object"

    __hash__ = object.__hash__  # as of Operation


@dataclass(frozen=True, slots=True)
class Route:
    """One row: the operation of a scope, a method and the query keys that must be present."""

    scope: Scope
    method: str
    operation: Operation
    required: frozenset[str] = field(default=frozenset())


ROUTES = (
    Route(Scope.OBJECT, "PUT", Operation.UPLOAD_PART, frozenset({"partNumber", "uploadId"})),
    Route(Scope.OBJECT, "PUT", Operation.PUT_OBJECT),
    Route(Scope.OBJECT, "POST", Operation.CREATE_MULTIPART_UPLOAD, frozenset({"uploads"})),
    Route(Scope.OBJECT, "POST", Operation.COMPLETE_MULTIPART_UPLOAD, frozenset({"uploadId"})),
    Route(Scope.OBJECT, "DELETE", Operation.ABORT_MULTIPART_UPLOAD, frozenset({"uploadId"})),
    Route(Scope.OBJECT, "GET", Operation.LIST_PARTS, frozenset({"uploadId"})),
    Route(Scope.OBJECT, "HEAD", Operation.HEAD_OBJECT),
    Route(Scope.BUCKET, "GET", Operation.LIST_MULTIPART_UPLOADS, frozenset({"uploads"})),
    Route(Scope.BUCKET, "GET", Operation.GET_BUCKET_LOCATION, frozenset({"location"})),
    Route(Scope.BUCKET, "HEAD", Operation.HEAD_BUCKET),
    Route(Scope.BUCKET, "PUT", Operation.CREATE_BUCKET),
    Route(Scope.BUCKET, "POST", Operation.POST_OBJECT),
)
_ROUTES = {
    at: tuple(route for route in ROUTES if (route.scope, route.method) == at)
    for at in {(route.scope, route.method) for route in ROUTES}
}

# Reads, listings and deletions of content: the operation's name by method, 405.
_CONTENT = {
    (Scope.SERVICE, "GET"): "ListBuckets",
    (Scope.BUCKET, "GET"): "ListObjects",
    (Scope.BUCKET, "DELETE"): "DeleteBucket",
    (Scope.OBJECT, "GET"): "GetObject",
    (Scope.OBJECT, "DELETE"): "DeleteObject",
}
# The same with a query key, which wins over the rows above.
_CONTENT_BY_KEY = {
    (Scope.BUCKET, "GET", "list-type"): "ListObjectsV2",
    (Scope.BUCKET, "GET", "versions"): "ListObjectVersions",
    (Scope.BUCKET, "POST", "delete"): "DeleteObjects",
    (Scope.OBJECT, "GET", "attributes"): "GetObjectAttributes",
    (Scope.OBJECT, "GET", "torrent"): "GetObjectTorrent",
    (Scope.OBJECT, "POST", "select"): "SelectObjectContent",
    (Scope.OBJECT, "POST", "restore"): "RestoreObject",
    (Scope.OBJECT, "PUT", "renameObject"): "RenameObject",
    (Scope.BUCKET, "GET", "session"): "CreateSession",
}
# Settings of buckets and objects: Get, Put (Create with POST) or Delete and this noun, 501.
_SUBRESOURCES = {
    Scope.BUCKET: {
        "abac": "BucketAbac",
        "accelerate": "BucketAccelerateConfiguration",
        "acl": "BucketAcl",
        "analytics": "BucketAnalyticsConfiguration",
        "cors": "BucketCors",
        "encryption": "BucketEncryption",
        "intelligent-tiering": "BucketIntelligentTieringConfiguration",
        "inventory": "BucketInventoryConfiguration",
        "lifecycle": "BucketLifecycleConfiguration",
        "logging": "BucketLogging",
        "metadataAnnotationTable": "BucketMetadataAnnotationTableConfiguration",
        "metadataConfiguration": "BucketMetadataConfiguration",
        "metadataInventoryTable": "BucketMetadataInventoryTableConfiguration",
        "metadataJournalTable": "BucketMetadataJournalTableConfiguration",
        "metadataTable": "BucketMetadataTableConfiguration",
        "metrics": "BucketMetricsConfiguration",
        "notification": "BucketNotificationConfiguration",
        "object-lock": "ObjectLockConfiguration",
        "ownershipControls": "BucketOwnershipControls",
        "policy": "BucketPolicy",
        "policyStatus": "BucketPolicyStatus",
        "publicAccessBlock": "PublicAccessBlock",
        "replication": "BucketReplication",
        "requestPayment": "BucketRequestPayment",
        "tagging": "BucketTagging",
        "versioning": "BucketVersioning",
        "website": "BucketWebsite",
    },
    Scope.OBJECT: {
        "acl": "ObjectAcl",
        "annotation": "ObjectAnnotation",
        "encryption": "ObjectEncryption",
        "legal-hold": "ObjectLegalHold",
        "retention": "ObjectRetention",
        "tagging": "ObjectTagging",
    },
}
# What else S3 reads from a query, of operations that are answered here and of others.
_PARAMETERS = frozenset(
    {
        "continuation-token",
        "delimiter",
        "encoding-type",
        "key-marker",
        "marker",
        "max-keys",
        "max-parts",
        "max-uploads",
        "part-number-marker",
        "partNumber",
        "prefix",
        "start-after",
        "upload-id-marker",
        "uploadId",
        "versionId",
        "x-id",
    }
)
QUERY_KEYS = _PARAMETERS.union(
    *(route.required for route in ROUTES), {key for *_, key in _CONTENT_BY_KEY}, *_SUBRESOURCES.values()
)
"""Query keys that have a meaning in the S3 API."""

_VERBS = {"GET": "Get", "PUT": "Put", "POST": "Create", "DELETE": "Delete"}


def match_operation(method: str, address: Address, query: Collection[str]) -> Operation:
    """The operation that a request asks for; ``query`` holds the decoded query keys.

    Raises MethodNotAllowed or NotImplemented, naming what S3 would have done; InvalidArgument for half
    an UploadPart or a version id; InvalidRequest for an operation on an object that names no key.
    """
    scope = _scope(address)
    keys = frozenset(query)
    if keys:
        _refuse_by_key(scope, method, keys)
        _refuse_incomplete(scope, method, keys)
    for route in _ROUTES.get((scope, method), ()):
        if route.required <= keys:
            return route.operation
    raise _method_not_allowed(scope, _CONTENT.get((scope, method), f"{method} on {scope.value}"))


def refuse_copy(operation: Operation) -> errors.NotImplemented:
    """The refusal of a write whose ``x-amz-copy-source`` makes it a copy."""
    name = "UploadPartCopy" if operation is Operation.UPLOAD_PART else "CopyObject"
    return errors.NotImplemented(_UPLOAD_ONLY.format(name))


def _scope(address: Address) -> Scope:
    if address.bucket is None:
        return Scope.SERVICE
    return Scope.BUCKET if address.key is None else Scope.OBJECT


def _refuse_by_key(scope: Scope, method: str, keys: frozenset[str]) -> None:
    for key in sorted(keys):
        content = _CONTENT_BY_KEY.get((scope, method, key))
        if content is not None:
            raise _method_not_allowed(scope, content)
        noun = _SUBRESOURCES.get(scope, {}).get(key)
        if noun is not None and method in _VERBS:
            raise errors.NotImplemented(_UPLOAD_ONLY.format(_VERBS[method] + noun))


def _refuse_incomplete(scope: Scope, method: str, keys: frozenset[str]) -> None:
    multipart = keys & {"partNumber", "uploadId"}
    if scope is Scope.OBJECT and method == "PUT" and len(multipart) == 1:
        raise InvalidArgument("UploadPart needs both partNumber and uploadId in its query. Send both.")
    if scope is Scope.OBJECT and method in {"PUT", "POST"} and "versionId" in keys:
        raise InvalidArgument("This operation does not accept a version-id. Leave versionId out.")
    if scope is Scope.OBJECT and method == "HEAD" and "partNumber" in keys:
        raise errors.NotImplemented("HeadObject with partNumber is not answered here. Leave partNumber out.")
    if scope is Scope.BUCKET and _needs_key(method, keys):
        raise InvalidRequest("A key must be specified: multipart uploads are made on /bucket/key.")


def _needs_key(method: str, keys: frozenset[str]) -> bool:
    return "uploadId" in keys or "partNumber" in keys or (method in {"POST", "PUT"} and "uploads" in keys)


def _method_not_allowed(scope: Scope, name: str) -> MethodNotAllowed:
    error = MethodNotAllowed(_UPLOAD_ONLY.format(name))
    # RFC 9110, 15.5.6: a 405 lists the methods that the target has.
    error.headers = {"Allow": ", ".join(sorted({r.method for r in ROUTES if r.scope is scope}))}
    return error
