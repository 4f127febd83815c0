"""Where the requests for a bucket go."""

from __future__ import annotations

import pytest

from uploads.backends.s3_boto import boto_client
from uploads.backends.s3_channel import Origin
from uploads.backends.s3_client import bucket_place
from uploads.backends.s3_head import Place
from uploads.config import S3StorageConfig


def place(bucket: str, **values) -> Place:
    client = boto_client(S3StorageConfig(name="x", access_key="AK", secret_key="SK", **values))
    try:
        return bucket_place(client, bucket)
    finally:
        client.close()


def at(host: str, path: str, *, is_tls: bool = True, port: int | None = None) -> Place:
    authority = host if port is None else f"{host}:{port}"
    return Place(Origin(is_tls, host, port or (443 if is_tls else 80)), authority, path)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, at("s3.us-east-1.amazonaws.com", "/photos/")),
        ({"region": "eu-central-1"}, at("s3.eu-central-1.amazonaws.com", "/photos/")),
        ({"region": "cn-north-1"}, at("s3.cn-north-1.amazonaws.com.cn", "/photos/")),
        (
            {"region": "eu-central-1", "addressing": "virtual"},
            at("photos.s3.eu-central-1.amazonaws.com", "/"),
        ),
        ({"region": "eu-central-1", "addressing": "auto"}, at("photos.s3.eu-central-1.amazonaws.com", "/")),
        ({"endpoint": "http://minio:9000"}, at("minio", "/photos/", is_tls=False, port=9000)),
        ({"endpoint": "https://minio"}, at("minio", "/photos/")),
        ({"endpoint": "http://minio:80"}, at("minio", "/photos/", is_tls=False)),
        ({"endpoint": "https://s3.example.org/base"}, at("s3.example.org", "/base/photos/")),
        (
            {"endpoint": "https://s3.example.org", "addressing": "virtual"},
            at("photos.s3.example.org", "/"),
        ),
        ({"endpoint": "https://s3.example.org", "addressing": "auto"}, at("s3.example.org", "/photos/")),
        ({"endpoint": "http://[::1]:9000"}, Place(Origin(False, "::1", 9000), "[::1]:9000", "/photos/")),
    ],
    ids=[
        "aws", "region", "china", "virtual", "auto", "endpoint", "tls", "default port", "base path",
        "virtual endpoint", "auto endpoint", "ipv6",
    ],
)  # fmt: skip
def test_where_a_bucket_is(values, expected):
    assert place("photos", **values) == expected
