"""CompleteMultipartUpload and ListParts at an upstream that takes its time, fails, or says odd things."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest

from tests.servers.scripted import scripted_server
from uploads.backends.base import CompletedPart, MultipartRef
from uploads.backends.errors import BackendDenied, BackendUnavailable
from uploads.backends.s3 import S3Backend
from uploads.config import S3StorageConfig
from uploads.s3.headers import Conditions, MultipartChecksum

UPLOAD = MultipartRef("bucket", "dir/k", "U&1", MultipartChecksum("crc32", "COMPOSITE"))
DONE = b'<CompleteMultipartUploadResult><ETag>"4567-1"</ETag></CompleteMultipartUploadResult>'
LISTED = (
    b'<?xml version="1.0"?>\n<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<IsTruncated>%b</IsTruncated><Part><PartNumber>1</PartNumber><ETag>&quot;0123&quot;</ETag>"
    b"<Size>7</Size><LastModified>2026-11-07T10:00:00.000Z</LastModified>"
    b"<ChecksumCRC32>AAAAAQ==</ChecksumCRC32></Part></ListPartsResult>"
)
SECONDS = 0.5


@contextmanager
def upstream(complete, listed: bytes = LISTED % b"false"):
    """A backend on a server that lists ``listed`` and has ``complete(peer, head, body)`` answer the rest."""

    def script(peer, number):
        while True:
            head, body = peer.read_request()
            if not head:
                return
            if head.startswith(b"GET"):
                peer.answer(body=listed)
            else:
                complete(peer, head, body)

    with scripted_server(script) as server:
        config = S3StorageConfig(
            name="upstream",
            endpoint=server.endpoint,
            access_key="AK",
            secret_key="SK",
            connect_timeout_seconds=SECONDS,
            read_timeout_seconds=SECONDS,
        )
        backend = S3Backend(config)
        try:
            yield backend
        finally:
            backend.close()


def complete(backend):
    part = CompletedPart(1, "0123", {"crc32": "AAAAAQ=="})
    return backend.complete_multipart_upload(UPLOAD, [part], Conditions(if_none_match=True), {})


def test_what_is_sent_and_heard():
    asked = []

    def answer(peer, head, body):
        asked.append((head, body))
        peer.answer(headers="x-amz-version-id: V7\r\n", body=DONE)

    with upstream(answer) as backend:
        stored = complete(backend)
    assert (stored.etag, stored.size, stored.version_id) == ("4567-1", 7, "V7")
    ((head, body),) = asked
    assert head.startswith(b"POST /bucket/dir/k?uploadId=U%261 HTTP/1.1\r\n")
    assert b"\r\nif-none-match: *\r\n" in head
    assert head.endswith(b"\r\nx-amz-checksum-type: COMPOSITE")
    assert body == (
        b'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part>'
        b'<PartNumber>1</PartNumber><ETag>"0123"</ETag><ChecksumCRC32>AAAAAQ==</ChecksumCRC32>'
        b"</Part></CompleteMultipartUpload>"
    )


def test_an_upstream_may_take_long_when_it_says_so():
    def answer(peer, head, body):
        peer.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(6):
            time.sleep(SECONDS / 3)
            peer.sock.sendall(b"1\r\n \r\n")
        peer.sock.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(DONE), DONE))

    with upstream(answer) as backend:
        assert complete(backend).etag == "4567-1"


@pytest.mark.parametrize(
    "failure",
    [
        lambda peer: peer.answer("503 Slow Down", body=b"<Error><Code>SlowDown</Code></Error>"),
        lambda peer: peer.answer(body=b'\n<Error xmlns="x"><Code>InternalError</Code></Error>'),
        lambda peer: peer.reset(),
    ],
    ids=["slow down", "200 with an error", "reset"],
)
def test_an_upstream_that_cannot_do_it_now_is_asked_again(failure):
    asked = []

    def answer(peer, head, body):
        asked.append(body)
        if len(asked) < 3:
            failure(peer)
        else:
            peer.answer(body=DONE)

    with upstream(answer) as backend:
        assert complete(backend).etag == "4567-1"
    assert len(asked) == 3


def test_an_upstream_that_refuses_is_not_asked_again():
    asked = []

    def answer(peer, head, body):
        asked.append(body)
        peer.answer(body=b"<Error><Code>AccessDenied</Code></Error>")

    with upstream(answer) as backend, pytest.raises(BackendDenied):
        complete(backend)
    assert len(asked) == 1


def test_a_page_of_parts():
    with upstream(None, LISTED % b"true") as backend:
        page = backend.list_parts(UPLOAD, 0, 1)
    (part,) = page.parts
    assert (part.part_number, part.etag, part.size) == (1, "0123", 7)
    assert (part.last_modified, part.checksums) == (1794045600.0, {"crc32": "AAAAAQ=="})
    assert (page.is_truncated, page.next_part_number_marker) == (True, 1)


@pytest.mark.parametrize(
    "odd",
    [
        LISTED.replace(b"<Size>7", b"<Size>seven") % b"false",
        LISTED.replace(b"2026-11-07T10", b"yesterday") % b"false",
        LISTED.replace(b"<PartNumber>1</PartNumber>", b"") % b"false",
        b"<ListPartsResult/>",
        b"",
    ],
    ids=["size", "time", "number", "empty", "nothing"],
)
def test_a_list_that_is_none_is_unavailable(odd):
    with upstream(None, odd) as backend, pytest.raises(BackendUnavailable):
        backend.list_parts(UPLOAD, 0, 1)
