"""The head of a request, as a whole."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.sigv4.parts import RequestParts
from uploads.s3.addressing import Address
from uploads.s3.errors import (
    ContentTypeNotAllowed,
    EntityTooLarge,
    InvalidArgument,
    InvalidBucketName,
    InvalidPartNumber,
    InvalidRequest,
    InvalidURI,
    KeyPatternNotAllowed,
    MethodNotAllowed,
    MissingContentLength,
    NotImplemented,
    S3Error,
)
from uploads.s3.operations import Operation
from uploads.s3.request import S3Request, check_limits, parse_request

CHUNKED = {"transfer-encoding": "chunked"}
UNSIGNED_TRAILER = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


def parse(line: str, headers: dict[str, str] | None = None, domain: str | None = None) -> S3Request:
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    return parse_request(RequestParts(method, path.encode(), query, headers or {}, host="s3.test"), domain)


def test_a_whole_request():
    headers = {"content-length": "5", "content-type": "text/plain"}
    request = parse("PUT /bucket/a/b?x-id=PutObject", headers)
    assert request == S3Request(
        Operation.PUT_OBJECT, Address("bucket", "a/b"), {"x-id": "PutObject"}, headers, 5, 5
    )
    assert request.key == "a/b"


def test_a_bucket_has_no_key():
    with pytest.raises(ValueError, match="HeadBucket"):
        _ = parse("HEAD /bucket").key


def test_headers_of_a_presigned_url_are_headers():
    line = "PUT /bucket/k?X-Amz-Signature=s&x-amz-meta-a=1&x-amz-checksum-crc32=AAAAAA%3D%3D"
    assert parse(line, {"content-length": "0"}).headers == {"content-length": "0", "x-amz-meta-a": "1"}


LENGTHS = [
    ("PUT /bucket/k", {"content-length": "0"}, 0, 0),
    ("PUT /bucket/k", {"content-length": "5497558138880"}, 5497558138880, 5497558138880),
    (
        "PUT /bucket/k",
        {"content-length": "90", "x-amz-decoded-content-length": "5", **UNSIGNED_TRAILER},
        90,
        5,
    ),
    ("PUT /bucket/k", {"x-amz-decoded-content-length": "5", **UNSIGNED_TRAILER, **CHUNKED}, None, 5),
    ("PUT /bucket/k", {"x-amz-decoded-content-length": "5", **CHUNKED}, None, 5),
    ("PUT /bucket/k", {"x-amz-decoded-content-length": "5", "content-length": "5"}, 5, 5),
    ("PUT /bucket/k", CHUNKED, None, None),
    ("PUT /bucket/k", {"transfer-encoding": " Chunked"}, None, None),
    ("PUT /bucket/k?partNumber=1&uploadId=u", {"content-length": "7"}, 7, 7),
    ("POST /bucket", {"content-length": "900"}, 900, None),
    ("POST /bucket", CHUNKED, None, None),
    ("POST /bucket/k?uploads", {}, 0, 0),
    ("POST /bucket/k?uploads", {"content-length": ""}, 0, 0),
    ("POST /bucket/k?uploadId=u", {"content-length": "300"}, 300, 300),
    ("POST /bucket/k?uploadId=u", CHUNKED, None, None),
    ("HEAD /bucket", {}, 0, 0),
]


@pytest.mark.parametrize(("line", "headers", "content_length", "payload_length"), LENGTHS)
def test_lengths(line, headers, content_length, payload_length):
    request = parse(line, headers)
    assert (request.content_length, request.payload_length) == (content_length, payload_length)


REFUSED_HEADERS = [
    ({}, MissingContentLength),
    ({"content-length": ""}, MissingContentLength),
    ({**CHUNKED, **UNSIGNED_TRAILER}, MissingContentLength),
    ({"content-length": "90", **UNSIGNED_TRAILER}, MissingContentLength),
    ({"content-length": "-1"}, InvalidArgument),
    ({"content-length": "+1"}, InvalidArgument),
    ({"content-length": "1,1"}, InvalidArgument),
    ({"content-length": "1.5"}, InvalidArgument),
    ({"content-length": "0x1"}, InvalidArgument),
    ({"content-length": "1_0"}, InvalidArgument),
    ({"content-length": "٣"}, InvalidArgument),
    ({"content-length": "9" * 5000}, InvalidArgument),
    ({"content-length": "1", "x-amz-decoded-content-length": "x"}, InvalidArgument),
    ({"content-length": "1", "x-amz-decoded-content-length": ""}, InvalidArgument),
    ({"content-length": "1", "x-amz-decoded-content-length": "2"}, InvalidRequest),
    ({"content-length": "1", **CHUNKED}, InvalidRequest),
    ({"content-length": "0", **CHUNKED}, InvalidRequest),
    ({"transfer-encoding": "gzip, chunked"}, NotImplemented),
    ({"transfer-encoding": "identity"}, NotImplemented),
    ({"content-length": "1", "x-amz-grant-read": "id=x"}, NotImplemented),
]


@pytest.mark.parametrize(("headers", "error"), REFUSED_HEADERS)
def test_refuses_headers(headers, error):
    with pytest.raises(error) as refusal:
        parse("PUT /bucket/k", headers)
    assert type(refusal.value) is error


@pytest.mark.parametrize(
    ("line", "name"),
    [("PUT /bucket/k", "CopyObject"), ("PUT /bucket/k?partNumber=1&uploadId=u", "UploadPartCopy")],
)
def test_refuses_copies_by_name(line, name):
    with pytest.raises(NotImplemented, match=name):
        parse(line, {"x-amz-copy-source": "/b/k"})


QUERIES = [
    "PUT /bucket/k?partNumber=1&uploadId=u",
    "PUT /bucket/k?partNumber=10000&uploadId=u",
    "GET /bucket/k?uploadId=u&max-parts=0",
    "GET /bucket/k?uploadId=u&max-parts=&part-number-marker=",
    "GET /bucket/k?uploadId=u&max-parts=2147483647&part-number-marker=10000",
    "GET /bucket?uploads&max-uploads=1&encoding-type=url&prefix=p&delimiter=",
    "GET /bucket?location",
    "HEAD /bucket/k?versionId=v",
]
REFUSED_QUERIES = [
    ("PUT /bucket/k?partNumber=0&uploadId=u", InvalidPartNumber),
    ("PUT /bucket/k?partNumber=10001&uploadId=u", InvalidPartNumber),
    ("PUT /bucket/k?partNumber=-1&uploadId=u", InvalidPartNumber),
    ("PUT /bucket/k?partNumber=&uploadId=u", InvalidPartNumber),
    ("PUT /bucket/k?partNumber=1.0&uploadId=u", InvalidPartNumber),
    ("PUT /bucket/k?partNumber=%D9%A3&uploadId=u", InvalidPartNumber),
    ("PUT /bucket/k?partNumber=1&uploadId=", InvalidArgument),
    ("POST /bucket/k?uploadId=", InvalidArgument),
    ("DELETE /bucket/k?uploadId", InvalidArgument),
    ("GET /bucket/k?uploadId=u&max-parts=-1", InvalidArgument),
    ("GET /bucket/k?uploadId=u&max-parts=many", InvalidArgument),
    ("GET /bucket/k?uploadId=u&max-parts=2147483648", InvalidArgument),
    ("GET /bucket/k?uploadId=u&part-number-marker=x", InvalidArgument),
    ("GET /bucket?uploads&max-uploads=0", InvalidArgument),
    ("GET /bucket?uploads&encoding-type=base64", InvalidArgument),
    ("GET /bucket?uploads&delimiter=/", NotImplemented),
    ("GET /bucket?uploads&prefix=a&prefix=b", InvalidArgument),
    ("GET /bucket?uploads&prefix=%FF", InvalidURI),
    ("GET /bucket/k", MethodNotAllowed),
    ("PUT /Bucket/k", InvalidBucketName),
]


@pytest.mark.parametrize("line", QUERIES)
def test_queries(line):
    assert parse(line, {"content-length": "0"}).content_length == 0


@pytest.mark.parametrize(("line", "error"), REFUSED_QUERIES)
def test_refuses_queries(line, error):
    with pytest.raises(error) as refusal:
        parse(line, {"content-length": "0"})
    assert type(refusal.value) is error


LIMITS = {
    "key": "a.txt",
    "content_type": "text/plain; charset=utf-8",
    "payload_length": 10,
    "max_object_bytes": 10,
    "content_types": (),
    "key_pattern": None,
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"payload_length": None},
        {"content_types": ("image/*", "text/plain")},
        {"content_types": ("TEXT/*",)},
        {"content_type": "Text/Plain", "content_types": ("text/plain",)},
        {"content_type": None, "content_types": ("binary/octet-stream",)},
        {"key_pattern": re.compile(r"[a-z]\.txt")},
    ],
)
def test_limits(change):
    check_limits(**{**LIMITS, **change})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"payload_length": 11}, EntityTooLarge),
        ({"content_types": ("image/*",)}, ContentTypeNotAllowed),
        ({"content_types": ("text/*",), "content_type": None}, ContentTypeNotAllowed),
        ({"content_types": ("text/*",), "content_type": "textual/plain"}, ContentTypeNotAllowed),
        ({"content_types": ("text/plain",), "content_type": "text/*"}, ContentTypeNotAllowed),
        ({"key_pattern": re.compile(r"[a-z]\.tx")}, KeyPatternNotAllowed),
        ({"key_pattern": re.compile(r"\.txt")}, KeyPatternNotAllowed),
    ],
)
def test_refuses_over_the_limits(change, error):
    with pytest.raises(error):
        check_limits(**{**LIMITS, **change})


HEADER_NAMES = [
    "content-length",
    "transfer-encoding",
    "x-amz-decoded-content-length",
    "x-amz-content-sha256",
    "content-md5",
]


@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]) | st.text(),
    st.binary(max_size=20).map(b"/bucket/".__add__) | st.binary(),
    st.text()
    | st.sampled_from(["uploads", "uploadId=u", "partNumber=1&uploadId=u", "max-parts=x&uploadId=u"]),
    st.dictionaries(st.sampled_from(HEADER_NAMES) | st.text(), st.text() | st.integers().map(str)),
    st.text(),
)
def test_only_s3_errors_escape(method, path, query, headers, host):
    with suppress(S3Error):
        assert parse_request(RequestParts(method, path, query, headers, host=host), "s3.test").operation
