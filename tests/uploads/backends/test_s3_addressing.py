"""Where the requests for a bucket go."""

from __future__ import annotations

import pytest

from uploads.backends.s3_boto import boto_client
from uploads.backends.s3_channel import Origin
from uploads.backends.s3_client import bucket_place, plain_place
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


@pytest.mark.parametrize("addressing", ["path", "auto"])
@pytest.mark.parametrize("bucket", ["photos", "abc", "a-1-b", "123", "a" * 63])
@pytest.mark.parametrize(
    "endpoint",
    [
        "http://minio:9000",
        "https://s3.example.org",
        "http://minio:80",
        "https://10.0.0.1:443",
        "http://h-1:443",
    ],
)
def test_a_plain_place_needs_no_boto3_to_be_the_same(endpoint, bucket, addressing):
    values = {"endpoint": endpoint, "addressing": addressing}
    plain = plain_place(S3StorageConfig(name="x", access_key="AK", secret_key="SK", **values), bucket)
    assert plain is not None
    assert plain == place(bucket, **values)


@pytest.mark.parametrize(
    ("bucket", "values"),
    [
        ("photos", {}),
        ("photos", {"endpoint": "https://s3.example.org", "addressing": "virtual"}),
        ("photos", {"endpoint": "http://[::1]:9000"}),
        ("photos", {"endpoint": "https://S3.example.org"}),
        ("photos--use1-az4--x-s3", {"endpoint": "https://s3.example.org"}),
        ("arn:aws:s3:us-east-1:123456789012:accesspoint/a", {"endpoint": "https://s3.example.org"}),
        ("Photos", {"endpoint": "https://s3.example.org"}),
        ("ab", {"endpoint": "https://s3.example.org"}),
    ],
)
def test_what_is_not_plain_is_left_to_boto3(bucket, values):
    assert plain_place(S3StorageConfig(name="x", access_key="AK", secret_key="SK", **values), bucket) is None
