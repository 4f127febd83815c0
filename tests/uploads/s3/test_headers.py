"""Headers of an object: metadata, conditions, and what must not be dropped."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    InvalidTag,
    MetadataTooLarge,
    NotImplemented,
    S3Error,
)
from uploads.s3.headers import Conditions, ObjectMetadata, conditions, object_metadata, refuse_unsupported


def wsgi(text: str) -> str:
    return text.encode().decode("latin-1")


METADATA = {
    "nothing": ({}, ObjectMetadata()),
    "empty values": ({"content-type": "", "x-amz-tagging": ""}, ObjectMetadata()),
    "content type": (
        {"content-type": "text/plain; charset=utf-8"},
        ObjectMetadata(content_type="text/plain; charset=utf-8"),
    ),
    "cache control": ({"cache-control": "no-cache"}, ObjectMetadata(cache_control="no-cache")),
    "disposition in UTF-8": (
        {"content-disposition": wsgi('attachment; filename="ü.txt"')},
        ObjectMetadata(content_disposition='attachment; filename="ü.txt"'),
    ),
    "disposition in Latin-1": (
        {"content-disposition": "caf\xe9"},
        ObjectMetadata(content_disposition="café"),
    ),
    "language": ({"content-language": "de"}, ObjectMetadata(content_language="de")),
    "expires as given": ({"expires": "never"}, ObjectMetadata(expires="never")),
    "storage class": ({"x-amz-storage-class": "STANDARD_IA"}, ObjectMetadata(storage_class="STANDARD_IA")),
    "acl": ({"x-amz-acl": "private"}, ObjectMetadata(acl="private")),
    "redirect": ({"x-amz-website-redirect-location": "/x"}, ObjectMetadata(website_redirect_location="/x")),
    "tagging": ({"x-amz-tagging": "a=1&b=%20&c="}, ObjectMetadata(tagging="a=1&b=%20&c=")),
    "encryption": (
        {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "k"},
        ObjectMetadata(
            encryption={
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": "k",
            }
        ),
    ),
    "user": ({"x-amz-meta-a": "1", "x-amz-meta-b-c": ""}, ObjectMetadata(user={"a": "1", "b-c": ""})),
    "user in UTF-8": ({"x-amz-meta-a": wsgi("日本")}, ObjectMetadata(user={"a": "日本"})),
    "user in RFC 2047 base64": ({"x-amz-meta-a": "=?UTF-8?B?w7xiZXI=?="}, ObjectMetadata(user={"a": "über"})),
    "user in RFC 2047 quoted": (
        {"x-amz-meta-a": "=?utf-8?q?=C3=BCber?="},
        ObjectMetadata(user={"a": "über"}),
    ),
    "user in RFC 2047 is decoded once": (
        {"x-amz-meta-a": "=?utf-8?q?=C3=83=C2=BC?="},
        ObjectMetadata(user={"a": "Ã¼"}),
    ),
    "user in unknown charset": (
        {"x-amz-meta-a": "=?nope?B?w7xiZXI=?="},
        ObjectMetadata(user={"a": "=?nope?B?w7xiZXI=?="}),
    ),
    "user in bad base64": ({"x-amz-meta-a": "=?utf-8?B?w?="}, ObjectMetadata(user={"a": "=?utf-8?B?w?="})),
    "not quite RFC 2047": ({"x-amz-meta-a": "=?a=?b?="}, ObjectMetadata(user={"a": "=?a=?b?="})),
    "at the limit": ({"x-amz-meta-a": "v" * 2047}, ObjectMetadata(user={"a": "v" * 2047})),
    "others": ({"host": "h", "x-amz-date": "d", "x-custom": "c"}, ObjectMetadata()),
}


@pytest.mark.parametrize("case", METADATA)
def test_metadata(case):
    headers, expected = METADATA[case]
    assert object_metadata(headers, ()) == expected


CODINGS = {
    "gzip": "gzip",
    "gzip, br": "gzip, br",
    "aws-chunked": None,
    "AWS-Chunked": None,
    "aws-chunked,": None,
    "gzip,aws-chunked": "gzip",
    "aws-chunked, gzip": "gzip",
    "aws-chunked,gzip, br": "gzip,br",
    "aws-chunked-not": "aws-chunked-not",
}


@pytest.mark.parametrize("sent", CODINGS)
def test_content_encoding_is_without_aws_chunked(sent):
    assert object_metadata({"content-encoding": sent}, ()).content_encoding == CODINGS[sent]


def test_signed_headers_give_metadata_names_their_spelling():
    headers = {"x-amz-meta-my-key": "1", "x-amz-meta-other": "2", "x-amz-meta-a-b": "3"}
    signed = ("host", "x-amz-meta-a-b", "x-amz-meta-my_key")
    assert object_metadata(headers, signed).user == {"my_key": "1", "other": "2", "a-b": "3"}


REFUSED_METADATA = {
    "2,049 bytes": ({"x-amz-meta-a": "v" * 2048}, MetadataTooLarge),
    "over the limit together": ({"x-amz-meta-a": "v" * 1024, "x-amz-meta-b": "v" * 1023}, MetadataTooLarge),
    "counted in UTF-8": ({"x-amz-meta-a": wsgi("ü" * 1024)}, MetadataTooLarge),
    "far over the limit": ({"x-amz-meta-a": "=?a?q?" * 20_000}, MetadataTooLarge),
    "no name": ({"x-amz-meta-": "v"}, InvalidArgument),
    "line break": ({"x-amz-meta-a": "a\r\nb: c"}, InvalidArgument),
    "line break in disguise": ({"x-amz-meta-a": "=?utf-8?q?a=0D=0Ab?="}, InvalidArgument),
    "half a character in disguise": ({"x-amz-meta-a": "=?utf-7?q?+2AA-?="}, InvalidArgument),
    "nul": ({"content-type": "a\0b"}, InvalidArgument),
    "eleven tags": ({"x-amz-tagging": "&".join(f"k{i}=v" for i in range(11))}, InvalidTag),
    "a tag twice": ({"x-amz-tagging": "a=1&a=2"}, InvalidTag),
    "a tag without key": ({"x-amz-tagging": "=1"}, InvalidTag),
    "a long tag key": ({"x-amz-tagging": "k" * 129 + "=v"}, InvalidTag),
    "a long tag value": ({"x-amz-tagging": "k=" + "v" * 257}, InvalidTag),
    "a tag not in UTF-8": ({"x-amz-tagging": "k=%FF"}, InvalidTag),
}


@pytest.mark.parametrize("case", REFUSED_METADATA)
def test_refuses_metadata(case):
    headers, error = REFUSED_METADATA[case]
    with pytest.raises(error):
        object_metadata(headers, ())


def test_names_that_wsgi_made_the_same_are_refused():
    with pytest.raises(InvalidArgument):
        object_metadata({"x-amz-meta-a-b": "1,2"}, ("x-amz-meta-a-b", "x-amz-meta-a_b"))


def test_the_longest_tags_are_accepted():
    tags = "&".join(f"{i}{'k' * 127}={'v' * 256}" for i in range(10))
    assert object_metadata({"x-amz-tagging": tags}, ()).tagging == tags


CONDITIONS = [
    ({}, Conditions()),
    ({"if-none-match": "*"}, Conditions(if_none_match=True)),
    ({"if-none-match": " * "}, Conditions(if_none_match=True)),
    ({"if-match": '"abc"'}, Conditions(if_match="abc")),
    ({"if-match": "abc-2"}, Conditions(if_match="abc-2")),
]


@pytest.mark.parametrize(("headers", "expected"), CONDITIONS)
def test_conditions(headers, expected):
    assert conditions(headers) == expected


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"if-none-match": '"abc"'}, NotImplemented),
        ({"if-none-match": ""}, NotImplemented),
        ({"if-match": "*"}, NotImplemented),
        ({"if-match": ""}, NotImplemented),
        ({"if-match": '"a", "b"'}, NotImplemented),
        ({"if-match": 'W/"a"'}, NotImplemented),
        ({"if-match": '"a'}, NotImplemented),
        ({"if-match": "a", "if-none-match": "*"}, InvalidRequest),
    ],
)
def test_refuses_conditions(headers, error):
    with pytest.raises(error):
        conditions(headers)


@pytest.mark.parametrize(
    "name",
    [
        "x-amz-grant-read",
        "x-amz-grant-full-control",
        "x-amz-object-lock-mode",
        "x-amz-object-lock-legal-hold",
        "x-amz-copy-source",
        "x-amz-copy-source-range",
        "x-amz-rename-source",
        "x-amz-write-offset-bytes",
        "x-amz-server-side-encryption-customer-algorithm",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-customer-key-md5",
        "x-amz-expected-bucket-owner",
        "x-amz-if-match-size",
        "if-unmodified-since",
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(name):
    with pytest.raises(NotImplemented, match=name):
        refuse_unsupported({"host": "h", name: "v"})


def test_what_needs_no_honouring_passes():
    refuse_unsupported(
        dict.fromkeys(["x-amz-request-payer", "x-amz-acl", "x-amz-server-side-encryption", "if-match"], "v")
    )


NAMES = st.sampled_from(
    ["content-type", "content-encoding", "x-amz-tagging", "x-amz-meta-a", "if-match", "if-none-match"]
)
VALUES = st.text() | st.from_regex(r"=\?(utf-8|idna|hex|utf-7|x)\?[bq]\?[A-Za-z0-9=+/_]*\?=", fullmatch=True)


@given(
    st.dictionaries(NAMES | st.text().map("x-amz-meta-".__add__), VALUES),
    st.lists(st.text().map("x-amz-meta-".__add__)),
)
def test_only_s3_errors_escape(headers, signed):
    for read in (lambda: object_metadata(headers, tuple(signed)), lambda: conditions(headers)):
        with suppress(S3Error):
            assert read() is not None
