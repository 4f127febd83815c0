"""What an S3 backend makes of an upstream that answers badly, and what exactly it sends."""

from __future__ import annotations

from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest

from tests.contracts.body import MIB, FakeBody
from tests.servers.certificates import self_signed
from tests.servers.scripted import content_length, scripted_server
from uploads.backends.base import CompletedPart, MultipartRef, ObjectWrite
from uploads.backends.errors import (
    BackendDenied,
    BackendError,
    BackendMisconfigured,
    BackendRefused,
    BackendSlowDown,
    BackendUnavailable,
    ConditionConflict,
    ConditionFailed,
    PartInvalid,
    UploadNotFound,
)
from uploads.backends.s3 import S3Backend
from uploads.config import S3StorageConfig
from uploads.s3.headers import Conditions, ObjectMetadata

WRITE = ObjectWrite("bucket", "dir/k")
UPLOAD = MultipartRef("bucket", "dir/k", "U1")
SECRET = "the-secret-of-the-operator"


@contextmanager
def backend_of(server, **changes):
    values = {
        "name": "upstream",
        "endpoint": server.endpoint,
        "access_key": "AK",
        "secret_key": SECRET,
        "session_token": "the-token",
        "connect_timeout_seconds": 0.5,
        "read_timeout_seconds": 0.5,
        **changes,
    }
    backend = S3Backend(S3StorageConfig(**values))
    try:
        yield backend
    finally:
        backend.close()


class Upstream:
    """Answers by operation, the last answer again and again, and notes what was asked."""

    def __init__(self, **answers: tuple[str, str, bytes] | list[tuple[str, str, bytes]]) -> None:
        self.answers = {
            name: list(given) if isinstance(given, list) else [given] for name, given in answers.items()
        }
        self.asked: list[tuple[str, bytes, bytes]] = []

    def __call__(self, peer, number) -> None:
        while True:
            head = peer.read_head()
            if not head:
                return
            body = peer.read_body(content_length(head))
            if len(body) < content_length(head):
                return
            operation = operation_of(head)
            self.asked.append((operation, head, body))
            answers = self.answers[operation]
            peer.answer(*(answers.pop(0) if len(answers) > 1 else answers[0]))

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _, _ in self.asked]

    def headers(self, index: int = 0) -> dict[str, str]:
        lines = self.asked[index][1].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def operation_of(head: bytes) -> str:
    method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
    query = parse_qs(target.partition("?")[2], keep_blank_values=True)
    with_id = {"PUT": "part", "POST": "complete", "DELETE": "abort", "GET": "parts"}
    if "uploadId" in query:
        return with_id[method]
    return {"PUT": "put", "POST": "create", "HEAD": "head", "GET": "uploads"}[method]


def error(status: str, code: str, message: str = "no") -> tuple[str, str, bytes]:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>R</RequestId></Error>"
    return (status, "x-amz-request-id: R\r\n", body.encode())


STORED = ("200 OK", 'ETag: "0123"\r\n', b"")
CREATED = (
    "200 OK",
    "",
    b'<?xml version="1.0"?><InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<UploadId>U1</UploadId></InitiateMultipartUploadResult>",
)
COMPLETED = (
    "200 OK",
    "",
    b'<CompleteMultipartUploadResult><ETag>"4567-2"</ETag></CompleteMultipartUploadResult>',
)
PARTS = (
    "200 OK",
    "",
    b'<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><ETag>"0123"</ETag>'
    b"<Size>7</Size><LastModified>2026-11-07T10:00:00.000Z</LastModified></Part></ListPartsResult>",
)
ABORTED = ("204 No Content", "", b"")


# -- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error("403 Forbidden", "AccessDenied"), BackendDenied),
        (error("403 Forbidden", "SignatureDoesNotMatch"), BackendDenied),
        (error("404 Not Found", "NoSuchBucket"), BackendMisconfigured),
        (error("301 Moved Permanently", "PermanentRedirect"), BackendMisconfigured),
        (error("503 Slow Down", "SlowDown"), BackendSlowDown),
        (error("400 Bad Request", "InvalidTag"), BackendRefused),
        (error("409 Conflict", "ConditionalRequestConflict"), ConditionConflict),
        (error("412 Precondition Failed", "PreconditionFailed"), ConditionFailed),
        (("500 Internal Server Error", "", b""), BackendUnavailable),
        (("502 Bad Gateway", "Content-Type: text/html\r\n", b"<html><br>nginx</html>"), BackendUnavailable),
        (("403 Forbidden", "", b"\xff\xfe\x00garbage"), BackendDenied),
        (("400 Bad Request", "", b'<!DOCTYPE x [<!ENTITY a "b">]><E><Code>&a;</Code></E>'), BackendRefused),
        (("200 OK", "", b""), BackendUnavailable),
    ],
    ids=[
        "denied", "signature", "bucket", "redirect", "slow down", "refused", "conflict", "condition",
        "500 without a body", "html", "garbage", "entities", "no etag",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "act",
    [
        lambda backend: backend.put_object(WRITE, FakeBody(b"x")),
        lambda backend: backend.upload_part(UPLOAD, 1, FakeBody(b"x"), {}),
    ],
    ids=["put", "part"],
)
def test_a_refused_body_has_its_error(act, answer, kind):
    upstream = Upstream(put=answer, part=answer)
    with scripted_server(upstream) as server, backend_of(server) as backend:
        with pytest.raises(BackendError) as caught:
            act(backend)
        assert type(caught.value) is kind
        told = f"{caught.value} {caught.value.detail}"
        assert SECRET not in told
        assert "the-token" not in told


def silent(peer, number):
    peer.read_request()
    peer.read_head()


@pytest.mark.parametrize(
    "act",
    [
        lambda backend: backend.put_object(WRITE, FakeBody(b"x")),
        lambda backend: backend.create_multipart_upload(WRITE, None),
        lambda backend: backend.upload_part(UPLOAD, 1, FakeBody(b"x"), {}),
        lambda backend: backend.list_parts(UPLOAD, 0, 10),
        lambda backend: backend.complete_multipart_upload(UPLOAD, [], Conditions(), {}),
        lambda backend: backend.abort_multipart_upload(UPLOAD),
        lambda backend: backend.stale_uploads("bucket", "", 0),
        lambda backend: backend.check("bucket"),
    ],
    ids=["put", "create", "part", "list", "complete", "abort", "stale", "check"],
)
@pytest.mark.parametrize(
    "script",
    [silent, lambda peer, number: peer.reset(), lambda peer, number: peer.sock.sendall(b"garbage\r\n\r\n")],
    ids=["silent", "reset", "garbage"],
)
def test_every_operation_ends_as_unavailable(script, act):
    with scripted_server(script) as server, backend_of(server) as backend:
        with pytest.raises(BackendUnavailable) as caught:
            act(backend)
        assert SECRET not in str(caught.value)


def test_a_created_upload_needs_an_id():
    upstream = Upstream(create=("200 OK", "", b"<InitiateMultipartUploadResult/>"))
    with (
        scripted_server(upstream) as server,
        backend_of(server) as backend,
        pytest.raises(BackendUnavailable, match="without UploadId"),
    ):
        backend.create_multipart_upload(WRITE, None)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("InternalError", BackendUnavailable), ("SlowDown", BackendSlowDown), ("InvalidPart", PartInvalid)],
)
def test_a_completion_answered_200_with_an_error_is_an_error(code, kind):
    upstream = Upstream(parts=PARTS, complete=error("200 OK", code))
    with (
        scripted_server(upstream) as server,
        backend_of(server) as backend,
        pytest.raises(kind),
    ):
        backend.complete_multipart_upload(UPLOAD, [CompletedPart(1, "0123")], Conditions(), {})


HTML = ("200 OK", "", b"<html><body>Welcome to the captive portal</body></html>")


@pytest.mark.parametrize(
    "act",
    [
        lambda backend: backend.list_parts(UPLOAD, 0, 10),
        lambda backend: backend.complete_multipart_upload(UPLOAD, [], Conditions(), {}),
    ],
    ids=["list", "complete"],
)
def test_a_success_without_its_contents_is_unavailable(act):
    upstream = Upstream(parts=HTML, complete=HTML)
    with (
        scripted_server(upstream) as server,
        backend_of(server) as backend,
        pytest.raises(BackendUnavailable),
    ):
        act(backend)


def test_a_completion_without_an_etag_is_unavailable():
    upstream = Upstream(parts=PARTS, complete=("200 OK", "", b"<CompleteMultipartUploadResult/>"))
    with (
        scripted_server(upstream) as server,
        backend_of(server) as backend,
        pytest.raises(BackendUnavailable),
    ):
        backend.complete_multipart_upload(UPLOAD, [CompletedPart(1, "0123")], Conditions(), {})


def test_completion_of_a_missing_upload_asks_no_more():
    upstream = Upstream(parts=error("404 Not Found", "NoSuchUpload"), complete=COMPLETED)
    with (
        scripted_server(upstream) as server,
        backend_of(server) as backend,
        pytest.raises(UploadNotFound),
    ):
        backend.complete_multipart_upload(UPLOAD, [CompletedPart(1, "0123")], Conditions(), {})
    assert upstream.operations == ["parts"]


# -- bodies of unknown length -----------------------------------------------------------------------------


def unsized(mib: int, **options) -> FakeBody:
    return FakeBody(b"x" * (mib * MIB), block_bytes=MIB, promised=False, **options)


def test_an_upload_whose_part_fails_is_aborted():
    upstream = Upstream(create=CREATED, part=[STORED, error("500 Oops", "InternalError")], abort=ABORTED)
    with (
        scripted_server(upstream) as server,
        backend_of(server, read_timeout_seconds=5) as backend,
        pytest.raises(BackendUnavailable),
    ):
        backend.put_object(WRITE, unsized(17))
    assert upstream.operations == ["create", "part", "part", "abort"]


def test_an_upload_whose_completion_fails_is_aborted():
    upstream = Upstream(
        create=CREATED, part=STORED, complete=error("412 No", "PreconditionFailed"), abort=ABORTED
    )
    write = ObjectWrite("bucket", "k", conditions=Conditions(if_none_match=True))
    with (
        scripted_server(upstream) as server,
        backend_of(server, read_timeout_seconds=5) as backend,
        pytest.raises(ConditionFailed),
    ):
        backend.put_object(write, unsized(17))
    assert upstream.operations == ["create", "part", "part", "part", "complete", "abort"]
    assert upstream.headers(4)["if-none-match"] == "*"


def test_an_abort_that_fails_does_not_hide_the_reason(caplog):
    upstream = Upstream(
        create=CREATED, part=error("507 Full", "XMinioStorageFull"), abort=error("403 No", "AccessDenied")
    )
    with (
        scripted_server(upstream) as server,
        backend_of(server, read_timeout_seconds=5) as backend,
        pytest.raises(BackendError, match="full"),
    ):
        backend.put_object(WRITE, unsized(9))
    assert "could not be aborted" in caplog.text
    assert SECRET not in caplog.text


def test_a_short_body_of_unknown_length_is_one_request():
    upstream = Upstream(put=STORED)
    with scripted_server(upstream) as server, backend_of(server) as backend:
        assert backend.put_object(WRITE, unsized(6)).size == 6 * MIB
    assert upstream.operations == ["put"]


# -- what is sent -----------------------------------------------------------------------------------------


def test_a_put_on_the_wire():
    upstream = Upstream(put=("200 OK", 'ETag: "0123"\r\nx-amz-version-id: V7\r\n', b""))
    metadata = ObjectMetadata(
        content_type="text/x",
        user={"a": "b  c"},
        encryption={"x-amz-server-side-encryption": "aws:kms"},
        acl="private",
        website_redirect_location="/x",
    )
    write = ObjectWrite("bucket", "dir/ü +?", metadata, Conditions(if_match="77"), {"crc32": b"\0\0\0\1"})
    with scripted_server(upstream) as server, backend_of(server) as backend:
        stored = backend.put_object(write, FakeBody(b"hello"))
        host = f"127.0.0.1:{server.port}"
    assert stored.version_id == "V7"
    assert upstream.asked[0][1].startswith(b"PUT /bucket/dir/%C3%BC%20%2B%3F HTTP/1.1\r\n")
    assert upstream.asked[0][2] == b"hello"
    headers = upstream.headers()
    authorization = headers.pop("authorization")
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AK/")
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert sorted({*headers} - {"content-length", "user-agent"}) == signed
    headers.pop("x-amz-date")
    assert headers == {
        "host": host,
        "content-type": "text/x",
        "content-length": "5",
        "if-match": '"77"',
        "x-amz-acl": "private",
        "x-amz-checksum-crc32": "AAAAAQ==",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "x-amz-meta-a": "b  c",
        "x-amz-security-token": "the-token",
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-website-redirect-location": "/x",
        "user-agent": "mizuchi-uploadr",
    }


def test_the_proxy_of_the_environment_is_not_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    upstream = Upstream(put=STORED, head=("200 OK", "", b""))
    with scripted_server(upstream) as server, backend_of(server) as backend:
        backend.put_object(WRITE, FakeBody(b"x"))
        backend.check("bucket")
    assert upstream.operations == ["put", "head"]


# -- TLS --------------------------------------------------------------------------------------------------

LARGE = b"x" * (20 * MIB)


def test_tls_with_the_operators_own_authority(tmp_path):
    certificate = self_signed(tmp_path)
    upstream = Upstream(put=STORED, head=("200 OK", "", b""))
    with scripted_server(upstream, tls=certificate.server_context()) as server:
        endpoint = f"https://127.0.0.1:{server.port}"
        with backend_of(server, endpoint=endpoint, ca_file=certificate.certificate) as backend:
            for _ in range(3):
                backend.put_object(WRITE, FakeBody(LARGE[: 3 * MIB], block_bytes=MIB))
            assert server.connections == 1
            backend.check("bucket")


def test_a_certificate_of_nobody_known_is_a_wrong_configuration(tmp_path):
    certificate = self_signed(tmp_path)
    with (
        scripted_server(Upstream(), tls=certificate.server_context()) as server,
        backend_of(server, endpoint=f"https://127.0.0.1:{server.port}") as backend,
    ):
        with pytest.raises(BackendMisconfigured):
            backend.put_object(WRITE, FakeBody(b"x"))
        with pytest.raises(BackendMisconfigured):
            backend.check("bucket")


def test_an_early_answer_and_close_under_tls_is_heard_or_unavailable(tmp_path):
    certificate = self_signed(tmp_path)

    def script(peer, number):
        peer.read_head()
        peer.answer(*error("403 Forbidden", "AccessDenied"))

    with scripted_server(script, tls=certificate.server_context()) as server:
        endpoint = f"https://127.0.0.1:{server.port}"
        with (
            backend_of(server, endpoint=endpoint, ca_file=certificate.certificate) as backend,
            pytest.raises((BackendDenied, BackendUnavailable)),
        ):
            backend.put_object(WRITE, FakeBody(LARGE, block_bytes=MIB))
