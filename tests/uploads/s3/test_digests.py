"""What a client says that the body hashes to."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3.errors import InvalidArgument, InvalidDigest, InvalidRequest, NotImplemented, S3Error
from uploads.s3.headers import (
    DIGEST_BYTES,
    ExpectedDigests,
    MultipartChecksum,
    document_digests,
    expected_digests,
    full_object_checksums,
    multipart_checksum,
    multipart_object_size,
    parse_digest,
)


def b64(size: int) -> str:
    return base64.b64encode(bytes(range(size))).decode()


@pytest.mark.parametrize("algorithm", DIGEST_BYTES)
def test_a_checksum_in_a_header(algorithm):
    size = DIGEST_BYTES[algorithm]
    headers = {f"x-amz-checksum-{algorithm}": b64(size), "x-amz-sdk-checksum-algorithm": algorithm.upper()}
    assert expected_digests(headers) == ExpectedDigests(checksums={algorithm: bytes(range(size))})


@pytest.mark.parametrize("algorithm", DIGEST_BYTES)
def test_a_checksum_in_a_trailer(algorithm):
    headers = {
        "x-amz-trailer": f"X-Amz-Checksum-{algorithm}",
        "x-amz-sdk-checksum-algorithm": algorithm.upper(),
    }
    assert expected_digests(headers) == ExpectedDigests(trailer=algorithm)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ExpectedDigests()),
        ({"content-md5": b64(16)}, ExpectedDigests(content_md5=bytes(range(16)))),
        ({"x-amz-checksum-mode": "ENABLED", "x-amz-checksum-algorithm": "CRC32"}, ExpectedDigests()),
        (
            {"content-md5": b64(16), "x-amz-checksum-crc32": b64(4)},
            ExpectedDigests(content_md5=bytes(range(16)), checksums={"crc32": bytes(range(4))}),
        ),
    ],
)
def test_expected_digests(headers, expected):
    assert expected_digests(headers) == expected


REFUSED = [
    ({"content-md5": ""}, InvalidDigest),
    ({"content-md5": "not base64!"}, InvalidDigest),
    ({"content-md5": "ü"}, InvalidDigest),
    ({"content-md5": b64(15)}, InvalidDigest),
    ({"content-md5": b64(16).rstrip("=")}, InvalidDigest),
    ({"x-amz-checksum-crc32": b64(8)}, InvalidDigest),
    ({"x-amz-checksum-crc32": b64(4) + "," + b64(4)}, InvalidDigest),
    ({"x-amz-checksum-sha256": "0" * 64}, InvalidDigest),
    ({"x-amz-checksum-crc32": b64(4), "x-amz-checksum-sha1": b64(20)}, InvalidRequest),
    ({"x-amz-checksum-crc32": b64(4), "x-amz-trailer": "x-amz-checksum-crc32"}, InvalidRequest),
    ({"x-amz-checksum-crc32": b64(4), "x-amz-sdk-checksum-algorithm": "SHA256"}, InvalidRequest),
    ({"x-amz-trailer": "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm": "CRC32C"}, InvalidRequest),
    ({"x-amz-sdk-checksum-algorithm": "CRC32"}, InvalidRequest),
    ({"x-amz-trailer": "x-amz-meta-a"}, InvalidRequest),
    ({"x-amz-trailer": ""}, InvalidRequest),
    ({"x-amz-trailer": "x-amz-checksum-type"}, InvalidRequest),
    ({"x-amz-trailer": "x-amz-checksum-crc32,x-amz-checksum-sha1"}, NotImplemented),
    ({"x-amz-trailer": "x-amz-checksum-xxhash64"}, NotImplemented),
    ({"x-amz-checksum-sha512": b64(64)}, NotImplemented),
    ({"x-amz-checksum-md5": b64(16)}, NotImplemented),
]


@pytest.mark.parametrize(("headers", "error"), REFUSED)
def test_refuses_digests(headers, error):
    with pytest.raises(error) as refusal:
        expected_digests(headers)
    assert type(refusal.value) is error


MULTIPART = [
    ("CRC32", None, ("crc32", "COMPOSITE")),
    ("CRC32", "FULL_OBJECT", ("crc32", "FULL_OBJECT")),
    ("crc32c", None, ("crc32c", "COMPOSITE")),
    ("CRC32C", "full_object", ("crc32c", "FULL_OBJECT")),
    ("CRC64NVME", None, ("crc64nvme", "FULL_OBJECT")),
    ("CRC64NVME", "FULL_OBJECT", ("crc64nvme", "FULL_OBJECT")),
    ("SHA1", None, ("sha1", "COMPOSITE")),
    ("SHA256", "COMPOSITE", ("sha256", "COMPOSITE")),
]


def multipart(algorithm: str | None, kind: str | None) -> dict[str, str]:
    headers = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind}
    return {name: value for name, value in headers.items() if value is not None}


@pytest.mark.parametrize(("algorithm", "kind", "expected"), MULTIPART)
def test_multipart_checksum(algorithm, kind, expected):
    assert multipart_checksum(multipart(algorithm, kind)) == MultipartChecksum(*expected)


@pytest.mark.parametrize(
    ("algorithm", "kind", "error"),
    [
        ("CRC64NVME", "COMPOSITE", InvalidRequest),
        ("SHA1", "FULL_OBJECT", InvalidRequest),
        ("SHA256", "FULL_OBJECT", InvalidRequest),
        ("CRC32", "HALF", InvalidRequest),
        (None, "COMPOSITE", InvalidRequest),
        ("MD5", None, NotImplemented),
        ("", None, NotImplemented),
    ],
)
def test_refuses_multipart_checksum(algorithm, kind, error):
    with pytest.raises(error):
        multipart_checksum(multipart(algorithm, kind))


def test_no_multipart_checksum():
    assert multipart_checksum({}) is None


@pytest.mark.parametrize("value", [b64(4), b64(4) + "-3", b64(4) + "-10000"])
def test_full_object_checksums(value):
    assert full_object_checksums({"x-amz-checksum-crc32": value, "x-amz-checksum-type": "COMPOSITE"}) == {
        "crc32": value
    }


@pytest.mark.parametrize("value", ["", b64(8), b64(4) + "-", b64(4) + "-x", b64(4) + "-100000", "-1"])
def test_refuses_full_object_checksums(value):
    with pytest.raises(InvalidDigest):
        full_object_checksums({"x-amz-checksum-crc32": value})


def test_refuses_two_full_object_checksums():
    with pytest.raises(InvalidRequest):
        full_object_checksums({"x-amz-checksum-crc32": b64(4), "x-amz-checksum-crc32c": b64(4)})


def test_the_digests_of_a_document_are_not_those_of_the_object():
    headers = {
        "content-md5": b64(16),
        "x-amz-checksum-crc32": b64(4) + "-2",
        "x-amz-trailer": "x-amz-checksum-crc32c",
    }
    assert document_digests(headers) == ExpectedDigests(content_md5=bytes(range(16)), trailer="crc32c")


def test_multipart_object_size():
    assert multipart_object_size({}) is None
    assert multipart_object_size({"x-amz-mp-object-size": "5497558138880"}) == 5497558138880


@pytest.mark.parametrize("value", ["", "-1", "1.0", "1,1", "٣", "9" * 20])
def test_refuses_multipart_object_size(value):
    with pytest.raises(InvalidArgument):
        multipart_object_size({"x-amz-mp-object-size": value})


CHECKSUM_NAMES = ["content-md5", "x-amz-trailer", "x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm"]
CHECKSUM_NAMES += [f"x-amz-checksum-{algorithm}" for algorithm in (*DIGEST_BYTES, "type", "xxhash3")]


@given(
    st.dictionaries(st.sampled_from(CHECKSUM_NAMES), st.text() | st.sampled_from([b64(4), b64(20), "CRC32"]))
)
def test_only_s3_errors_escape(headers):
    for read in (
        expected_digests,
        full_object_checksums,
        document_digests,
        multipart_checksum,
        multipart_object_size,
    ):
        with suppress(S3Error):
            read(headers)


@given(st.sampled_from(sorted(DIGEST_BYTES)), st.data())
def test_digests_survive_base64(algorithm, data):
    raw = data.draw(st.binary(min_size=DIGEST_BYTES[algorithm], max_size=DIGEST_BYTES[algorithm]))
    assert parse_digest(algorithm, base64.b64encode(raw).decode()) == raw
