"""The routing table: what is answered, and what is refused by name."""

from contextlib import suppress
from urllib.parse import parse_qsl

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3.addressing import Address
from uploads.s3.errors import InvalidArgument, InvalidRequest, MethodNotAllowed, NotImplemented, S3Error
from uploads.s3.operations import ROUTES, Operation, match_operation, refuse_copy

SERVICE, BUCKET, OBJECT = Address(None, None), Address("b", None), Address("b", "k")
SCOPES = {"/": SERVICE, "/b": BUCKET, "/b/k": OBJECT}


def keys(query: str) -> set[str]:
    return {name for name, _ in parse_qsl(query, keep_blank_values=True)}


def match(request: str) -> Operation:
    method, _, target = request.partition(" ")
    path, _, query = target.partition("?")
    return match_operation(method, SCOPES[path], keys(query))


ANSWERED = {
    "PUT /b/k": Operation.PUT_OBJECT,
    "PUT /b/k?x-id=PutObject": Operation.PUT_OBJECT,
    "PUT /b/k?X-Amz-Algorithm=a&X-Amz-Signature=s": Operation.PUT_OBJECT,
    "PUT /b/k?unknown=1": Operation.PUT_OBJECT,
    "PUT /b/k?partnumber=1": Operation.PUT_OBJECT,
    "PUT /b/k?partNumber=1&uploadId=u": Operation.UPLOAD_PART,
    "PUT /b/k?uploadId=u&partNumber=1&x-id=UploadPart": Operation.UPLOAD_PART,
    "PUT /b/k?uploadId=&partNumber=": Operation.UPLOAD_PART,
    "POST /b/k?uploads": Operation.CREATE_MULTIPART_UPLOAD,
    "POST /b/k?uploads=&x-id=CreateMultipartUpload": Operation.CREATE_MULTIPART_UPLOAD,
    "POST /b/k?uploadId=u": Operation.COMPLETE_MULTIPART_UPLOAD,
    "DELETE /b/k?uploadId=u": Operation.ABORT_MULTIPART_UPLOAD,
    "DELETE /b/k?uploadId=u&x-id=AbortMultipartUpload": Operation.ABORT_MULTIPART_UPLOAD,
    "GET /b/k?uploadId=u": Operation.LIST_PARTS,
    "GET /b/k?uploadId=u&max-parts=2&part-number-marker=1": Operation.LIST_PARTS,
    "HEAD /b/k": Operation.HEAD_OBJECT,
    "HEAD /b/k?versionId=v": Operation.HEAD_OBJECT,
    "GET /b?uploads": Operation.LIST_MULTIPART_UPLOADS,
    "GET /b?uploads&prefix=p&max-uploads=1": Operation.LIST_MULTIPART_UPLOADS,
    "HEAD /b": Operation.HEAD_BUCKET,
    "GET /b?location": Operation.GET_BUCKET_LOCATION,
    "GET /b?location=": Operation.GET_BUCKET_LOCATION,
    "PUT /b": Operation.CREATE_BUCKET,
    "POST /b": Operation.POST_OBJECT,
}

REFUSED = {
    "GET /": (MethodNotAllowed, "ListBuckets"),
    "HEAD /": (MethodNotAllowed, "HEAD on the service"),
    "PUT /": (MethodNotAllowed, "PUT on the service"),
    "POST /": (MethodNotAllowed, "POST on the service"),
    "DELETE /": (MethodNotAllowed, "DELETE on the service"),
    "GET /?uploads": (MethodNotAllowed, "ListBuckets"),
    "GET /b": (MethodNotAllowed, "ListObjects"),
    "GET /b?prefix=p&delimiter=/": (MethodNotAllowed, "ListObjects"),
    "GET /b?list-type=2": (MethodNotAllowed, "ListObjectsV2"),
    "GET /b?versions": (MethodNotAllowed, "ListObjectVersions"),
    "GET /b?session": (MethodNotAllowed, "CreateSession"),
    "DELETE /b": (MethodNotAllowed, "DeleteBucket"),
    "POST /b?delete": (MethodNotAllowed, "DeleteObjects"),
    "GET /b/k": (MethodNotAllowed, "GetObject"),
    "GET /b/k?x-id=GetObject": (MethodNotAllowed, "GetObject"),
    "GET /b/k?partNumber=1": (MethodNotAllowed, "GetObject"),
    "GET /b/k?versionId=v": (MethodNotAllowed, "GetObject"),
    "GET /b/k?uploads": (MethodNotAllowed, "GetObject"),
    "GET /b/k?attributes": (MethodNotAllowed, "GetObjectAttributes"),
    "GET /b/k?torrent": (MethodNotAllowed, "GetObjectTorrent"),
    "DELETE /b/k": (MethodNotAllowed, "DeleteObject"),
    "DELETE /b/k?versionId=v": (MethodNotAllowed, "DeleteObject"),
    "POST /b/k": (MethodNotAllowed, "POST on an object"),
    "POST /b/k?partNumber=1": (MethodNotAllowed, "POST on an object"),
    "POST /b/k?restore": (MethodNotAllowed, "RestoreObject"),
    "POST /b/k?select&select-type=2": (MethodNotAllowed, "SelectObjectContent"),
    "PUT /b/k?renameObject": (MethodNotAllowed, "RenameObject"),
    "OPTIONS /b/k": (MethodNotAllowed, "OPTIONS on an object"),
    "PATCH /b/k": (MethodNotAllowed, "PATCH on an object"),
    "put /b/k": (MethodNotAllowed, "put on an object"),
    "PUT /b/k?acl": (NotImplemented, "PutObjectAcl"),
    "GET /b/k?acl": (NotImplemented, "GetObjectAcl"),
    "PUT /b/k?tagging": (NotImplemented, "PutObjectTagging"),
    "DELETE /b/k?tagging": (NotImplemented, "DeleteObjectTagging"),
    "PUT /b/k?legal-hold": (NotImplemented, "PutObjectLegalHold"),
    "PUT /b/k?retention": (NotImplemented, "PutObjectRetention"),
    "PUT /b/k?acl&partNumber=1&uploadId=u": (NotImplemented, "PutObjectAcl"),
    "GET /b?acl": (NotImplemented, "GetBucketAcl"),
    "PUT /b?acl": (NotImplemented, "PutBucketAcl"),
    "GET /b?versioning": (NotImplemented, "GetBucketVersioning"),
    "PUT /b?versioning": (NotImplemented, "PutBucketVersioning"),
    "PUT /b?policy": (NotImplemented, "PutBucketPolicy"),
    "DELETE /b?policy": (NotImplemented, "DeleteBucketPolicy"),
    "GET /b?lifecycle": (NotImplemented, "GetBucketLifecycleConfiguration"),
    "PUT /b?cors": (NotImplemented, "PutBucketCors"),
    "GET /b?object-lock": (NotImplemented, "GetObjectLockConfiguration"),
    "POST /b?metadataTable": (NotImplemented, "CreateBucketMetadataTableConfiguration"),
    "PUT /b/k?partNumber=1": (InvalidArgument, "both partNumber and uploadId"),
    "PUT /b/k?uploadId=u": (InvalidArgument, "both partNumber and uploadId"),
    "PUT /b/k?versionId=v": (InvalidArgument, "version-id"),
    "HEAD /b/k?partNumber=1": (NotImplemented, "HeadObject with partNumber"),
    "POST /b?uploads": (InvalidRequest, "A key must be specified"),
    "PUT /b?uploads": (InvalidRequest, "A key must be specified"),
    "POST /b?uploadId=u": (InvalidRequest, "A key must be specified"),
    "PUT /b?partNumber=1&uploadId=u": (InvalidRequest, "A key must be specified"),
    "DELETE /b?uploadId=u": (InvalidRequest, "A key must be specified"),
}


@pytest.mark.parametrize("request_line", ANSWERED)
def test_answers(request_line):
    assert match(request_line) is ANSWERED[request_line]


@pytest.mark.parametrize("request_line", REFUSED)
def test_refuses_by_name(request_line):
    error_type, name = REFUSED[request_line]
    with pytest.raises(error_type) as refusal:
        match(request_line)
    assert type(refusal.value) is error_type
    assert name in refusal.value.message.split(". Use")[0]


def test_refusals_say_why_and_what_is_allowed():
    with pytest.raises(MethodNotAllowed) as refusal:
        match("GET /b/k")
    assert "upload-only by design" in refusal.value.message
    assert refusal.value.headers["Allow"] == "DELETE, GET, HEAD, POST, PUT"
    assert MethodNotAllowed.headers == {}


def test_copies_are_named():
    assert "CopyObject" in refuse_copy(Operation.PUT_OBJECT).message
    assert "UploadPartCopy" in refuse_copy(Operation.UPLOAD_PART).message


ACTIONS = {
    Operation.PUT_OBJECT: "s3:PutObject",
    Operation.POST_OBJECT: "s3:PutObject",
    Operation.CREATE_MULTIPART_UPLOAD: "s3:PutObject",
    Operation.UPLOAD_PART: "s3:PutObject",
    Operation.COMPLETE_MULTIPART_UPLOAD: "s3:PutObject",
    Operation.ABORT_MULTIPART_UPLOAD: "s3:AbortMultipartUpload",
    Operation.LIST_PARTS: "s3:ListMultipartUploadParts",
    Operation.LIST_MULTIPART_UPLOADS: "s3:ListBucketMultipartUploads",
    Operation.HEAD_BUCKET: "s3:ListBucket",
    Operation.GET_BUCKET_LOCATION: "s3:GetBucketLocation",
    Operation.CREATE_BUCKET: "s3:CreateBucket",
    Operation.HEAD_OBJECT: "s3:GetObject",
}


@pytest.mark.parametrize("operation", Operation)
def test_action(operation):
    assert operation.action == ACTIONS[operation]


def test_which_operations_read_a_body():
    assert {operation.value for operation in Operation if operation.has_body} == {
        "PutObject",
        "PostObject",
        "UploadPart",
        "CompleteMultipartUpload",
    }


def test_every_operation_has_a_route():
    assert {route.operation for route in ROUTES} == set(Operation)


S3_MODEL = botocore.session.get_session().get_service_model("s3")
# Told apart by a header or an argument that routing does not see, or an older name of the same.
SAME_REQUEST = {
    "CopyObject": "PutObject",
    "UploadPartCopy": "UploadPart",
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "DeleteBucketLifecycle": "DeleteBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
    "ListBucketAnalyticsConfigurations": "GetBucketAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetBucketIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "GetBucketInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetBucketMetricsConfiguration",
    "ListObjectAnnotations": "GetObjectAnnotation",
    "ListDirectoryBuckets": "ListBuckets",
    "UpdateObjectEncryption": "PutObjectEncryption",
}
REQUIRED_ARGUMENTS = {
    "UploadPart": ("partNumber", "uploadId"),
    "UploadPartCopy": ("partNumber", "uploadId"),
    "CompleteMultipartUpload": ("uploadId",),
    "AbortMultipartUpload": ("uploadId",),
    "ListParts": ("uploadId",),
}


@pytest.mark.parametrize("name", [n for n in S3_MODEL.operation_names if n != "WriteGetObjectResponse"])
def test_every_operation_the_sdk_knows_is_recognised(name):
    """WriteGetObjectResponse lives on another host (S3 Object Lambda)."""
    http = S3_MODEL.operation_model(name).http
    path, _, query = http["requestUri"].partition("?")
    address = OBJECT if "{Key+}" in path else BUCKET if "{Bucket}" in path else SERVICE
    expected = SAME_REQUEST.get(name, name).replace("UpdateBucketMetadata", "PutBucketMetadata")
    present = keys(query).union(REQUIRED_ARGUMENTS.get(name, ()))
    try:
        recognised = match_operation(http["method"], address, present).value
    except (MethodNotAllowed, NotImplemented) as refusal:
        recognised = refusal.message.partition("does not answer ")[2].partition(". ")[0]
    assert recognised == expected


@given(
    st.text() | st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]),
    st.sampled_from([SERVICE, BUCKET, OBJECT]),
    st.sets(st.text() | st.sampled_from(["uploads", "uploadId", "partNumber", "acl", "delete", "versionId"])),
)
def test_only_s3_errors_escape(method, address, query):
    with suppress(S3Error):
        assert match_operation(method, address, query) in Operation
