"""A refused upload costs no bandwidth: nothing of its body is asked for, and the refusal still arrives."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from tests.e2e.gateway import FILES, LIMITED, Gateway
from tests.e2e.wire.client import Answer, Request, connected
from tests.e2e.wire.scene import BODY, Scene, crc32_of
from tests.e2e.wire.signing import UNSIGNED, UNSIGNED_TRAILER, unsigned_chunks

Build = Callable[[Scene], Request]
MIB = 1024 * 1024


def announced(length: int = len(BODY), **headers: str) -> Build:
    """A signed PUT that promises so many bytes and sends none of them."""

    def build(scene: Scene) -> Request:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {"x-amz-content-sha256": UNSIGNED, "Content-Length": str(length), **named}
        return scene.owner.sign(scene.request("PUT", headers=named))

    return build


def unsigned(scene: Scene) -> Request:
    return announced()(scene).without_headers("authorization")


def wrong_secret(scene: Scene) -> Request:
    return scene.owner.but(secret="x" * 40).sign(announced()(scene).without_headers("authorization"))


def unknown_key(scene: Scene) -> Request:
    return scene.owner.but(access_key_id="AKNOBODY").sign(announced()(scene).without_headers("authorization"))


def unknown_bucket(scene: Scene) -> Request:
    return scene.owner.sign(scene.request("PUT", "/nosuchbucket/key", headers={"Content-Length": "9"}))


def denied(scene: Scene) -> Request:
    return scene.neighbour.sign(announced()(scene).without_headers("authorization"))


def foreign_upload(scene: Scene) -> Request:
    headers = {"x-amz-content-sha256": UNSIGNED, "Content-Length": "9"}
    return scene.owner.sign(scene.request("PUT", query="partNumber=1&uploadId=x", headers=headers))


REFUSED = {
    "not-signed": (403, "AccessDenied", FILES, unsigned),
    "wrong-secret": (403, "SignatureDoesNotMatch", FILES, wrong_secret),
    "unknown-key": (403, "InvalidAccessKeyId", FILES, unknown_key),
    "unknown-bucket": (404, "NoSuchBucket", FILES, unknown_bucket),
    "denied-by-scope": (403, "AccessDenied", LIMITED, denied),
    "too-large": (400, "EntityTooLarge", LIMITED, announced(MIB, Content_Type="text/plain")),
    "type-not-allowed": (400, "InvalidArgument", LIMITED, announced(Content_Type="application/zip")),
    "unsupported-header": (501, "NotImplemented", FILES, announced(x_amz_tagging="a=b")),
    "digest-malformed": (400, "InvalidDigest", FILES, announced(Content_MD5="?")),
    "upload-unknown": (404, "NoSuchUpload", FILES, foreign_upload),
}


@pytest.mark.parametrize(("status", "code", "bucket", "build"), REFUSED.values(), ids=REFUSED)
def test_a_refused_client_is_never_told_to_continue(
    status: int, code: str, bucket: str, build: Build, gateway: Gateway
) -> None:
    scene = Scene(gateway, bucket)
    with connected(scene.port) as connection:
        connection.send(build(scene).and_header("Expect", "100-continue").head())
        first = connection.socket.recv(len("HTTP/1.1 100"), socket.MSG_PEEK)
        answer = connection.answer("PUT")

    assert first == f"HTTP/1.1 {status}".encode()
    assert answer is not None
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("bucket", ["files", "seaweed"])
def test_an_accepted_client_is_told_to_continue(bucket: str, gateway: Gateway) -> None:
    scene = Scene(gateway, bucket)
    with connected(scene.port) as connection:
        connection.send(announced()(scene).and_header("Expect", "100-continue").head())
        assert connection.first_line() == b"HTTP/1.1 100 Continue"
        connection.send(BODY)
        answer = connection.answer("PUT")

    assert answer is not None
    assert answer.status == 200
    assert scene.read() == BODY


@pytest.mark.parametrize(("status", "code", "bucket", "build"), REFUSED.values(), ids=REFUSED)
def test_a_client_that_sends_on_gets_its_refusal(
    status: int, code: str, bucket: str, build: Build, gateway: Gateway
) -> None:
    """It has no ear for the answer before it has sent all: the gateway must not reset it."""
    scene = Scene(gateway, bucket)
    request = build(scene)
    body = b"x" * int(request.header("content-length"))

    answer = send_slowly(scene, request, body)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("size", [MIB, 7 * MIB], ids=["1-mib", "7-mib"])
def test_a_large_body_that_nobody_wants_does_not_reset_its_client(size: int, gateway: Gateway) -> None:
    scene = Scene(gateway, FILES)
    request = announced(size)(scene).without_headers("authorization")

    answer = send_slowly(scene, request, b"x" * size)

    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_a_body_without_end_is_not_received_to_its_end(gateway: Gateway) -> None:
    """A refused client that promises a tebibyte is answered at once, while it still sends."""
    scene = Scene(gateway, FILES)
    request = announced(1024**4)(scene).without_headers("authorization")
    began = time.monotonic()

    answer = send_slowly(scene, request, b"x" * MIB)

    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("bucket", ["files", "seaweed"])
def test_a_fault_in_the_middle_is_answered_while_the_client_sends_on(bucket: str, gateway: Gateway) -> None:
    scene = Scene(gateway, bucket)
    chunks = [b"c" * 65536] * 64
    headers = {
        "x-amz-content-sha256": UNSIGNED_TRAILER,
        "x-amz-decoded-content-length": str(64 * 65536),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    signed = scene.owner.sign(scene.request("PUT", headers=headers))
    body = b"".join(unsigned_chunks(chunks, ("x-amz-checksum-crc32", crc32_of(b"".join(chunks)))))
    body = body[:100_000] + b"\0" * 65536 + body[165_536:]

    answer = send_slowly(scene, signed.with_body(b"").with_headers({"Content-Length": str(len(body))}), body)

    assert (answer.status, answer.code) in [(400, "IncompleteBody"), (400, "InvalidChunkSizeError")]


def send_slowly(scene: Scene, request: Request, body: bytes) -> Answer:
    """The head, a pause in which the gateway makes up its mind, and the body whatever happens."""
    with connected(scene.port) as connection:
        connection.socket.sendall(request.head())
        time.sleep(0.05)
        connection.send(body)
        answer = connection.answer(request.method)
    assert answer is not None, "the connection was reset before the refusal could be read"
    return answer
