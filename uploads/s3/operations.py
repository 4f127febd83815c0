"""The operations of the S3 REST API that this gateway answers, as a routing table."""

from __future__ import annotations

from enum import Enum


class Operation(Enum):
    """An S3 operation; the value is its name in the S3 API reference."""

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
