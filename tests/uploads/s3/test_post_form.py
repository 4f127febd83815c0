"""The fields of a POST form."""

from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3.errors import (
    InvalidArgument,
    InvalidKey,
    InvalidTag,
    InvalidURI,
    KeyTooLongError,
    MalformedXML,
    S3Error,
)
from uploads.s3.headers import expected_digests, object_metadata
from uploads.s3.post_form import FormAnswer, expand_filename, form_answer, form_headers


@pytest.mark.parametrize(
    ("key", "filename", "expanded"),
    [
        ("k", "a.txt", "k"),
        ("in/${filename}", "a.txt", "in/a.txt"),
        ("${filename}/${filename}", "a", "a/a"),
        ("in/${filename}", "C:\\photos\\ü.png", "in/ü.png"),
        ("in/${filename}", "../../etc/passwd", "in/passwd"),
        ("in/${filename}", None, "in/"),
        ("${filename}", "${filename}", "${filename}"),
        ("${FILENAME}", "a", "${FILENAME}"),
    ],
)
def test_filename(key, filename, expanded):
    fields = {"key": key, "acl": "${filename}"}
    assert expand_filename(fields, filename) == {"key": expanded, "acl": "${filename}"}


@pytest.mark.parametrize(
    ("fields", "filename", "error"),
    [
        ({}, "a", InvalidArgument),
        ({"key": ""}, "a", InvalidKey),
        ({"key": "${filename}"}, "", InvalidKey),
        ({"key": "in/${filename}"}, "..", InvalidKey),
        ({"key": "a/../b"}, "a", InvalidKey),
        ({"key": "in/${filename}"}, "a\0", InvalidURI),
        ({"key": "in/${filename}"}, "a" * 1022, KeyTooLongError),
    ],
)
def test_keys_are_checked(fields, filename, error):
    with pytest.raises(error):
        expand_filename(fields, filename)


TAGGING = "<Tagging><TagSet>{}</TagSet></Tagging>"
TAG = "<Tag><Key>a b</Key><Value>ü&amp;</Value></Tag>"


def test_fields_stand_for_headers():
    fields = {
        "key": "k",
        "acl": "private",
        "tagging": TAGGING.format(TAG + "<Tag><Value/><Key>c</Key></Tag>"),
        "content-type": "text/plain",
        "content-disposition": 'attachment; filename="ü"',
        "x-amz-meta-my_key": "日本",
        "x-amz-storage-class": "GLACIER",
        "x-amz-checksum-crc32": "AAAAAA==",
        "submit": "Upload",
    }
    headers = form_headers(fields)
    metadata = object_metadata(headers, ())
    assert metadata.acl == "private"
    assert metadata.tagging == "a+b=%C3%BC%26&c="
    assert metadata.content_type == "text/plain"
    assert metadata.content_disposition == 'attachment; filename="ü"'
    assert metadata.user == {"my_key": "日本"}
    assert metadata.storage_class == "GLACIER"
    assert expected_digests(headers).checksums == {"crc32": bytes(4)}
    assert headers.keys().isdisjoint({"key", "acl", "tagging", "submit"})


@pytest.mark.parametrize(
    ("tagging", "error"),
    [
        ("", MalformedXML),
        ("a=b", MalformedXML),
        ("<Tagging/>", MalformedXML),
        ("<Tags><TagSet/></Tags>", MalformedXML),
        (TAGGING.format("<Tag><Key>a</Key></Tag>"), MalformedXML),
        (TAGGING.format("<Tag><Key>a</Key><Value/><Value/></Tag>"), MalformedXML),
        (TAGGING.format("<Label><Key>a</Key><Value/></Label>"), MalformedXML),
        ('<!DOCTYPE a [<!ENTITY x "y">]>' + TAGGING.format("&x;"), MalformedXML),
        ('<?xml version="1.0" encoding="nope"?>' + TAGGING.format(TAG), MalformedXML),
        (TAGGING.format(TAG * 2), InvalidTag),
        (TAGGING.format("<Tag><Key/><Value/></Tag>"), InvalidTag),
        (TAGGING.format("".join(f"<Tag><Key>{n}</Key><Value/></Tag>" for n in range(11))), InvalidTag),
    ],
)
def test_refuses_tagging(tagging, error):
    with pytest.raises(error):
        form_headers({"tagging": tagging})


def test_no_tags_are_no_tagging():
    assert object_metadata(form_headers({"tagging": TAGGING.format("")}), ()).tagging is None


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, FormAnswer()),
        ({"success_action_status": "200"}, FormAnswer(200)),
        ({"success_action_status": "201"}, FormAnswer(201)),
        ({"success_action_status": "204"}, FormAnswer(204)),
        ({"success_action_status": "500"}, FormAnswer(204)),
        ({"success_action_status": ""}, FormAnswer(204)),
        ({"success_action_redirect": "https://a.test/b?c=d"}, FormAnswer(redirect="https://a.test/b?c=d")),
        ({"success_action_redirect": "HTTP://a.test"}, FormAnswer(redirect="HTTP://a.test")),
        ({"redirect": "http://a.test/"}, FormAnswer(redirect="http://a.test/")),
        ({"success_action_redirect": "http://a.test/ü b"}, FormAnswer(redirect="http://a.test/%C3%BC%20b")),
        (
            {"success_action_redirect": "http://a.test/\r\nX: y"},
            FormAnswer(redirect="http://a.test/%0D%0AX:%20y"),
        ),
        ({"success_action_redirect": "javascript:alert(1)"}, FormAnswer()),
        ({"success_action_redirect": "//a.test/"}, FormAnswer()),
        ({"success_action_redirect": "https:///b"}, FormAnswer()),
        ({"success_action_redirect": "/b"}, FormAnswer()),
        ({"success_action_redirect": "http://[a/"}, FormAnswer()),
        ({"success_action_redirect": "", "success_action_status": "201"}, FormAnswer(201)),
    ],
)
def test_answer(fields, answer):
    assert form_answer(fields) == answer


@pytest.mark.parametrize(
    "url", ["https://a.test/b", "https://a.test/b?c=d", "https://a.test/b?c=d#e", "https://a.test"]
)
def test_redirect_says_what_was_stored(url):
    target = FormAnswer(redirect=url).redirect_to(bucket="b", key="a b/ü", etag="e")
    split = urlsplit(target)
    assert {"bucket": ["b"], "key": ["a b/ü"], "etag": ['"e"']}.items() <= parse_qs(split.query).items()
    assert (split.scheme, split.netloc, split.fragment) == ("https", "a.test", urlsplit(url).fragment)
    assert ("c=d" in split.query) == ("c=d" in url)


@given(
    st.dictionaries(st.sampled_from(["key", "acl", "tagging", "success_action_redirect"]), st.text()),
    st.text(),
)
def test_only_s3_errors_escape(fields, filename):
    for read in (
        lambda: expand_filename(fields, filename),
        lambda: form_headers(fields),
        lambda: form_answer(fields),
    ):
        with suppress(S3Error):
            read()


@given(st.text().map("http://a.test/".__add__) | st.text().map("http://".__add__))
def test_a_redirect_is_one_line_of_ascii(url):
    answer = form_answer({"success_action_redirect": url})
    if answer.redirect is not None:
        target = answer.redirect_to(bucket="b", key="k", etag="e")
        assert target.isascii()
        assert target.isprintable()
        assert " " not in target
