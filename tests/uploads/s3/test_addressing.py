"""Bucket and key from path and host."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3.addressing import Address, apply_prefix, parse_address
from uploads.s3.errors import InvalidBucketName, InvalidKey, InvalidURI, KeyTooLongError, S3Error

VALID = {
    b"": (None, None),
    b"/": (None, None),
    b"/bucket": ("bucket", None),
    b"/bucket/": ("bucket", None),
    b"/bucket/key": ("bucket", "key"),
    b"/bucket/a/b/c": ("bucket", "a/b/c"),
    b"/bucket//": ("bucket", "/"),
    b"/bucket//key": ("bucket", "/key"),
    b"/bucket/a//b": ("bucket", "a//b"),
    b"/bucket/folder/": ("bucket", "folder/"),
    b"/bucket/ a b ": ("bucket", " a b "),
    b"/bucket/a+b%20c": ("bucket", "a+b%20c"),
    b"/bucket/a\\..\\b": ("bucket", "a\\..\\b"),
    b"/bucket/...": ("bucket", "..."),
    b"/bucket/.hidden": ("bucket", ".hidden"),
    b"/bucket/a..b": ("bucket", "a..b"),
    b"/bucket/tab\there": ("bucket", "tab\there"),
    b"/bucket/line\r\nend": ("bucket", "line\r\nend"),
    b"/bucket/del\x7f": ("bucket", "del\x7f"),
    "/bucket/日本語/ü".encode(): ("bucket", "日本語/ü"),
    "/bucket/e\u0301".encode(): ("bucket", "e\u0301"),
    "/bucket/😀".encode(): ("bucket", "😀"),
    b"/bucket/<&\"'>": ("bucket", "<&\"'>"),
    b"/bucket/" + b"k" * 1024: ("bucket", "k" * 1024),
    b"/bucket/" + "ü".encode() * 512: ("bucket", "ü" * 512),
    b"/abc/k": ("abc", "k"),
    b"/" + b"b" * 63 + b"/k": ("b" * 63, "k"),
    b"/my.bucket-1/k": ("my.bucket-1", "k"),
    b"/1bucket9/k": ("1bucket9", "k"),
    b"/xn--bucket/k": ("xn--bucket", "k"),
    b"/1.2.3/k": ("1.2.3", "k"),
}

INVALID = {
    b"bucket/key": InvalidURI,
    b"*": InvalidURI,
    b"//key": InvalidBucketName,
    b"/ab": InvalidBucketName,
    b"/" + b"b" * 64: InvalidBucketName,
    b"/Bucket/k": InvalidBucketName,
    b"/my_bucket/k": InvalidBucketName,
    b"/-bucket/k": InvalidBucketName,
    b"/bucket-/k": InvalidBucketName,
    b"/.bucket/k": InvalidBucketName,
    b"/bucket./k": InvalidBucketName,
    b"/a..b/k": InvalidBucketName,
    b"/../k": InvalidBucketName,
    b"/192.168.5.4/k": InvalidBucketName,
    b"/bucket\n/k": InvalidBucketName,
    "/bücket/k".encode(): InvalidBucketName,
    "/bucket٣/k".encode(): InvalidBucketName,
    b"/b\xff\xffb/k": InvalidURI,
    b"/bucket/\xff": InvalidURI,
    b"/bucket/\xc0\xaf": InvalidURI,
    b"/bucket/\xed\xa0\x80": InvalidURI,
    b"/bucket/nul\x00": InvalidURI,
    b"/bucket/bell\x07": InvalidURI,
    b"/bucket/esc\x1b": InvalidURI,
    "/bucket/\ufffe".encode(): InvalidURI,
    "/bucket/\uffff".encode(): InvalidURI,
    b"/bucket/" + b"k" * 1025: KeyTooLongError,
    b"/bucket/k" + "ü".encode() * 512: KeyTooLongError,
    b"/bucket/.": InvalidKey,
    b"/bucket/..": InvalidKey,
    b"/bucket/../other/k": InvalidKey,
    b"/bucket/a/../b": InvalidKey,
    b"/bucket/a/./b": InvalidKey,
    b"/bucket/a/..": InvalidKey,
    b"/bucket//..//b": InvalidKey,
}

HOSTS = {
    ("bucket.s3.example.com", "s3.example.com", b"/k"): ("bucket", "k"),
    ("bucket.s3.example.com:8080", "s3.example.com", b"/k"): ("bucket", "k"),
    ("BUCKET.S3.Example.COM", "s3.example.com", b"/K"): ("bucket", "K"),
    ("bucket.s3.example.com", "S3.EXAMPLE.COM", b"/k"): ("bucket", "k"),
    ("my.bucket.s3.example.com", "s3.example.com", b"/a/b"): ("my.bucket", "a/b"),
    ("bucket.s3.example.com", "s3.example.com", b"/"): ("bucket", None),
    ("bucket.s3.example.com", "s3.example.com", b""): ("bucket", None),
    ("bucket.s3.example.com", "s3.example.com", b"//k"): ("bucket", "/k"),
    ("bucket.s3.example.com", None, b"/other/k"): ("other", "k"),
    ("s3.example.com", "s3.example.com", b"/other/k"): ("other", "k"),
    ("buckets3.example.com", "s3.example.com", b"/other/k"): ("other", "k"),
    ("s3.example.com.evil.org", "s3.example.com", b"/other/k"): ("other", "k"),
    ("127.0.0.1:8080", "s3.example.com", b"/other/k"): ("other", "k"),
    ("[::1]:8080", "s3.example.com", b"/other/k"): ("other", "k"),
    ("", "s3.example.com", b"/other/k"): ("other", "k"),
}


@pytest.mark.parametrize("path", VALID, ids=repr)
def test_path_style(path):
    assert parse_address(path, "localhost:8080", None) == Address(*VALID[path])


@pytest.mark.parametrize("path", INVALID, ids=repr)
def test_refuses(path):
    with pytest.raises(INVALID[path]) as refusal:
        parse_address(path, "localhost", None)
    assert type(refusal.value) is INVALID[path]


@pytest.mark.parametrize(("host", "domain", "path"), HOSTS)
def test_virtual_host_style(host, domain, path):
    assert parse_address(path, host, domain) == Address(*HOSTS[host, domain, path])


@pytest.mark.parametrize(
    "host",
    [
        ".s3.example.com",
        "a.s3.example.com",
        "b_c.s3.example.com",
        "b..c.s3.example.com",
        "\ud800bc.s3.example.com",
    ],
)
def test_virtual_host_names_are_bucket_names(host):
    with pytest.raises(InvalidBucketName):
        parse_address(b"/k", host, "s3.example.com")


@pytest.mark.parametrize(
    ("prefix", "key", "joined"),
    [
        ("", "k", "k"),
        ("in/", "k", "in/k"),
        ("in", "k", "ink"),
        ("in/", "/k", "in//k"),
        ("p" * 1000, "k" * 24, "p" * 1000 + "k" * 24),
    ],
)
def test_prefix(prefix, key, joined):
    assert apply_prefix(prefix, key) == joined


@pytest.mark.parametrize(
    ("prefix", "key", "error"),
    [
        ("p" * 1000, "k" * 25, KeyTooLongError),
        ("a/.", "./b", InvalidKey),
        ("a/", "../b", InvalidKey),
        ("a/", "nul\0", InvalidURI),
        ("", "", InvalidKey),
    ],
)
def test_prefix_refuses(prefix, key, error):
    with pytest.raises(error):
        apply_prefix(prefix, key)


@given(st.binary(max_size=1100), st.text(), st.none() | st.text(min_size=1))
def test_only_s3_errors_escape(path, host, domain):
    with suppress(S3Error):
        assert isinstance(parse_address(path, host, domain), Address)


@given(st.binary(max_size=60))
def test_an_accepted_key_is_the_bytes_sent(path):
    try:
        address = parse_address(b"/bucket/" + path, "localhost", None)
    except S3Error:
        return
    assert (address.key or "").encode() == path
