"""The contract of a backend on a real S3 server, and what only an S3 upstream has."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from tests.contracts.backend import BackendContract
from tests.contracts.backend_multipart import FIRST, LAST, begin, complete, send
from tests.contracts.body import MIB, BodyBroke, FakeBody, digest
from uploads.backends.base import Capability, ObjectWrite
from uploads.backends.errors import (
    BackendDenied,
    BackendMisconfigured,
    BackendRefused,
    BackendUnavailable,
    ConditionFailed,
    DigestRejected,
    Unsupported,
    UploadNotFound,
)
from uploads.backends.s3 import S3Backend
from uploads.config import S3StorageConfig
from uploads.s3.headers import Conditions, MultipartChecksum, ObjectMetadata

LONG = 19 * MIB


def config_of(server, **changes) -> S3StorageConfig:
    config = S3StorageConfig(
        name="upstream",
        endpoint=server.endpoint,
        access_key=server.access_key,
        secret_key=server.secret_key,
        connect_timeout_seconds=5,
        read_timeout_seconds=30,
    )
    return replace(config, **changes)


@pytest.fixture(scope="module")
def backend(seaweedfs):
    backend = S3Backend(config_of(seaweedfs))
    yield backend
    backend.close()


@pytest.fixture
def bucket(seaweedfs):
    return seaweedfs.create_bucket()


@pytest.fixture
def read_object(seaweedfs, bucket):
    def read(key: str) -> bytes | None:
        try:
            return seaweedfs.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as exc:
            assert exc.response["Error"]["Code"] == "NoSuchKey"
            return None

    return read


@pytest.fixture
def head(seaweedfs, bucket):
    return lambda key: seaweedfs.client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")


@pytest.fixture
def read_metadata(head):
    def read(key: str) -> ObjectMetadata:
        found = head(key)
        return ObjectMetadata(
            content_type=found.get("ContentType"),
            cache_control=found.get("CacheControl"),
            content_disposition=found.get("ContentDisposition"),
            content_encoding=found.get("ContentEncoding"),
            content_language=found.get("ContentLanguage"),
            expires=found.get("ExpiresString"),
            user=found["Metadata"],
        )

    return read


@pytest.fixture
def leftovers(seaweedfs, bucket):
    def find() -> list[str]:
        uploads = seaweedfs.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return [f"{upload['Key']} {upload['UploadId']}" for upload in uploads]

    return find


class TestSeaweedFS(BackendContract):
    """The whole contract."""

    # A refusal may come while blocks are already on their way.
    blocks_to_find_out = 5
