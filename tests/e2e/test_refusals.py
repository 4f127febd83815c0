"""Every bad request of the tables is refused as S3 refuses it, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.gateway import Gateway
from tests.e2e.wire.client import Answer, Request, connected
from tests.e2e.wire.refusal import Refusal
from tests.e2e.wire.refused_bodies import AWS_CHUNKED, DIGESTS, LENGTHS
from tests.e2e.wire.refused_forms import FORMS
from tests.e2e.wire.refused_multipart import COMPLETIONS, PARTS, UPLOAD_IDS
from tests.e2e.wire.refused_names import BUCKETS, HEADERS, HEADS, KEYS, LIMITS, OPERATIONS
from tests.e2e.wire.refused_signatures import DATES, PRESIGNED, SIGNATURES
from tests.e2e.wire.scene import Scene, surprises_in

Build = Callable[[Scene], Request]

REFUSALS = (
    *SIGNATURES,
    *DATES,
    *PRESIGNED,
    *DIGESTS,
    *LENGTHS,
    *AWS_CHUNKED,
    *KEYS,
    *BUCKETS,
    *OPERATIONS,
    *HEADERS,
    *LIMITS,
    *PARTS,
    *UPLOAD_IDS,
    *COMPLETIONS,
    *FORMS,
)


@pytest.fixture(autouse=True)
def foreseen(gateway_log: Callable[[], str]) -> Iterator[None]:
    """No refusal is an accident."""
    yield
    assert surprises_in(gateway_log()) == []


def on_their_buckets() -> Iterator[Any]:
    for refusal in REFUSALS:
        for bucket in refusal.buckets:
            yield pytest.param(refusal, bucket, id=f"{refusal.name}-{bucket}")


@pytest.mark.parametrize(("refusal", "bucket"), [*on_their_buckets()])
def test_bad_requests_are_refused_and_leave_nothing(refusal: Refusal, bucket: str, gateway: Gateway) -> None:
    scene = Scene(gateway, bucket)
    try:
        request = refusal.build(scene)
        before = scene.holdings()
        answer = send(scene, request, is_cut=refusal.is_cut)
        assert (answer.status, answer.code) == (refusal.status, refusal.code), answer
        assert refusal.says in answer.text("Message")
        assert answer.headers["content-type"] == "application/xml"
        assert answer.text("RequestId") == answer.headers["x-amz-request-id"]
        assert scene.holdings() == before
    finally:
        scene.clear()


@pytest.mark.parametrize("bucket", ["files", "seaweed"])
@pytest.mark.parametrize(("status", "build"), [pytest.param(s, b, id=name) for name, s, b in HEADS])
def test_refusals_of_head_have_no_body(status: int, build: Build, bucket: str, gateway: Gateway) -> None:
    scene = Scene(gateway, bucket)
    with connected(scene.port) as connection:
        connection.send(build(scene).head())
        answer = connection.answer("HEAD")
        rest = connection.socket.recv(1) if answer and answer.headers.get("connection") == "close" else b""
    assert answer is not None
    assert (answer.status, answer.body, rest) == (status, b"", b"")
    assert len(answer.headers["x-amz-request-id"]) == 32


def send(scene: Scene, request: Request, *, is_cut: bool) -> Answer:
    with connected(scene.port) as connection:
        connection.send(request.head() + request.body)
        if is_cut:
            connection.end()
        answer = connection.answer(request.method)
    assert answer is not None, "the server closed the connection without an answer"
    return answer
