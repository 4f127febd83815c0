"""Headers that say nothing of an object: a request with no others is not searched for those that do."""

from __future__ import annotations

import pytest

from uploads.s3 import headers as h

TELLING = {"x-amz-meta-a": "1", "x-amz-checksum-crc32": "AAAAAA==", "content-encoding": "gzip"}


@pytest.mark.parametrize("name", sorted(h._SILENT - {"content-type"}))
def test_a_silent_header_changes_nothing(name: str) -> None:
    sent = {name: "what it says", **TELLING}
    assert not sent.keys() <= h._SILENT, "or nothing is searched"
    h.refuse_unsupported(sent)
    assert h.object_metadata(sent, ()) == h.object_metadata(TELLING, ())
    assert h.expected_digests(sent) == h.expected_digests(TELLING)


def test_silent_headers_alone_are_an_object_without_anything() -> None:
    sent = dict.fromkeys(h._SILENT, "text/plain")
    h.refuse_unsupported(sent)
    assert h.object_metadata(sent, ()) == h.ObjectMetadata(content_type="text/plain")
    assert h.expected_digests(sent) == h.ExpectedDigests()


def test_a_telling_header_is_found_among_silent_ones() -> None:
    sent = {**dict.fromkeys(h._SILENT, "text/plain"), **TELLING}
    found = h.object_metadata(sent, ())
    assert (found.user, found.content_encoding, found.content_type) == ({"a": "1"}, "gzip", "text/plain")
    assert h.expected_digests(sent).checksums == {"crc32": b"\0\0\0\0"}
