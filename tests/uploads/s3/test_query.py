"""The query, and the headers that presigned URLs carry in it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3.errors import InvalidArgument, InvalidRequest, InvalidURI, S3Error
from uploads.s3.query import parse_query, with_presigned_headers

QUERIES = {
    "": {},
    "&&": {},
    "uploads": {"uploads": ""},
    "uploads=": {"uploads": ""},
    "a=1&b=2": {"a": "1", "b": "2"},
    "a=b=c": {"a": "b=c"},
    "a=%20+%2B": {"a": "  +"},
    "%61=x": {"a": "x"},
    "a=%C3%BC": {"a": "ü"},
    "a=%zz%4": {"a": "%zz%4"},
    "a=%0A": {"a": "\n"},
    "A=1&a=2": {"A": "1", "a": "2"},
}


@pytest.mark.parametrize("raw", QUERIES)
def test_query(raw):
    assert parse_query(raw) == QUERIES[raw]


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        ("a=1&a=1", InvalidArgument),
        ("a=1&%61=2", InvalidArgument),
        ("a=%FF", InvalidURI),
        ("%C3=1", InvalidURI),
        ("a=%00", InvalidURI),
        ("a=%EF%BF%BF", InvalidURI),
    ],
)
def test_refuses(raw, error):
    with pytest.raises(error):
        parse_query(raw)


SIGNED = {"X-Amz-Signature": "s", "X-Amz-Credential": "c", "X-Amz-Date": "d", "X-Amz-Algorithm": "a"}


def test_a_presigned_url_carries_headers():
    query = {**SIGNED, "x-amz-meta-my_key": "ü", "X-Amz-Acl": "private", "x-amz-storage-class": "GLACIER"}
    assert with_presigned_headers({"host": "h"}, query) == {
        "host": "h",
        "x-amz-meta-my_key": "Ã¼",
        "x-amz-acl": "private",
        "x-amz-storage-class": "GLACIER",
    }


def test_the_checksum_of_no_body_that_the_javascript_sdk_signs_is_ignored():
    query = {**SIGNED, "x-amz-checksum-crc32": "AAAAAA==", "x-amz-sdk-checksum-algorithm": "CRC32"}
    assert with_presigned_headers({}, query) == {}


def test_the_checksum_of_a_new_multipart_upload_counts():
    query = {**SIGNED, "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "COMPOSITE"}
    assert with_presigned_headers({}, query) == {
        "x-amz-checksum-algorithm": "CRC32",
        "x-amz-checksum-type": "COMPOSITE",
    }


def test_without_a_signature_a_query_carries_no_headers():
    assert with_presigned_headers({"host": "h"}, {"x-amz-acl": "public-read"}) == {"host": "h"}


def test_the_same_in_header_and_url():
    query = {**SIGNED, "x-amz-meta-a_b": "1"}
    assert with_presigned_headers({"x-amz-meta-a-b": "1"}, query) == {"x-amz-meta-a-b": "1"}
    with pytest.raises(InvalidRequest, match="x-amz-meta-a_b"):
        with_presigned_headers({"x-amz-meta-a-b": "2"}, query)


@given(st.text() | st.text("&=%+aX-mzSignature0123456789F"))
def test_only_s3_errors_escape(raw):
    with suppress(S3Error):
        query = parse_query(raw)
        assert with_presigned_headers({}, {**SIGNED, **query}) is not None
