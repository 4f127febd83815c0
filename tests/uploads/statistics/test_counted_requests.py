"""Every request of the S3 API is counted when it ends, however it ends."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest

from authz.credentials import create_access_key
from mizuchi_site.front_door import LeanHandler
from tests.e2e.wire.client import Request
from tests.e2e.wire.signing import Signer
from uploads import object_operations
from uploads.apps import UploadsAppConfig, configured_gateway, uploads_app
from uploads.s3.operations import Operation
from uploads.statistics.recorder import NO_BUCKET, RequestRecorder
from uploads.statistics.totals import Totals
from uploads.views import HANDLERS, S3View

pytestmark = pytest.mark.django_db

Send = Callable[..., int]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> RequestRecorder:
    recorder = RequestRecorder(lambda: 1_790_000_100.0)
    monkeypatch.setattr(uploads_app(), "request_recorder", recorder)
    return recorder


@pytest.fixture
def send(recorder: RequestRecorder) -> Send:
    """Sends a signed request through the S3 API's handler in this process; returns the status."""
    key, secret = create_access_key("counter")
    handler = LeanHandler(S3View.as_view(), "")

    def send(method: str, path: str, body: bytes = b"", query: str = "", **changes: str) -> int:
        headers = (("Host", "h"), ("Content-Length", str(len(body))))
        request = Signer(key.access_key_id, secret).sign(Request(method, path, query, headers, body))
        status: list[int] = []
        answer = handler(
            environ_of(request) | changes, lambda line, headers, info=None: status.append(int(line[:3]))
        )
        list(answer)
        answer.close()  # type: ignore[attr-defined]
        return status[0]

    return send


def environ_of(request: Request) -> dict[str, Any]:
    named = {name.upper().replace("-", "_"): value for name, value in request.headers}
    return {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "mizuchi.path": request.path.encode(),
        "QUERY_STRING": request.query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "mizuchi.headers": (),
        **{name if name == "CONTENT_LENGTH" else f"HTTP_{name}": value for name, value in named.items()},
    }


def counted(recorder: RequestRecorder) -> dict[str, Totals]:
    """By bucket."""
    return {row.bucket: row.totals for row in recorder.unwritten() if row.seconds == 15}


def test_an_object_that_is_stored(send: Send, recorder: RequestRecorder) -> None:
    assert send("PUT", "/uploads/counted.txt", b"content") == 200

    totals = counted(recorder)["uploads"]
    assert (totals.requests, totals.uploads, totals.bytes_received, totals.transfers) == (1, 1, 7, 1)
    assert sum(totals.latencies.values()) == 1
    waits = totals.receive_wait_seconds + totals.backend_wait_seconds
    assert totals.receive_wait_seconds > 0
    assert totals.backend_wait_seconds > 0
    assert waits < totals.transfer_seconds


def test_a_body_that_is_refused_on_its_way(send: Send, recorder: RequestRecorder) -> None:
    assert send("PUT", "/uploads/unsigned.txt", b"content", HTTP_AUTHORIZATION="") == 403
    assert send("PUT", "/uploads/cut.txt", b"content", CONTENT_LENGTH="9") == 400

    totals = counted(recorder)["uploads"]
    assert (totals.requests, totals.client_errors, totals.uploads) == (2, 2, 0)
    assert (totals.transfers, totals.bytes_received) == (1, 7), "nothing of the first was asked for"
    assert totals.latencies == {}


@pytest.mark.parametrize(
    ("method", "path", "bucket"),
    [
        ("HEAD", "/uploads/missing", "uploads"),
        ("PUT", "/somebody@example.org/a", NO_BUCKET),
        ("GET", "/", NO_BUCKET),
        ("GET", "/uploads/key", NO_BUCKET),
    ],
    ids=["no-such-key", "no-such-bucket", "no-bucket", "no-operation"],
)
def test_what_is_refused(send: Send, recorder: RequestRecorder, method: str, path: str, bucket: str) -> None:
    assert 400 <= send(method, path) < 500

    assert {name: (sums.requests, sums.client_errors) for name, sums in counted(recorder).items()} == {
        bucket: (1, 1)
    }


@pytest.mark.parametrize("error", [RuntimeError("a fault"), SystemExit()], ids=["answered", "not-answered"])
def test_what_fails_unforeseen(
    send: Send, recorder: RequestRecorder, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(call: object) -> None:
        raise error

    monkeypatch.setitem(HANDLERS, Operation.PUT_OBJECT, fail)  # type: ignore[arg-type]
    if isinstance(error, Exception):
        assert send("PUT", "/uploads/a", b"content") == 500
    else:
        with pytest.raises(SystemExit):
            send("PUT", "/uploads/a", b"content")

    totals = counted(recorder)["uploads"]
    assert (totals.requests, totals.server_errors) == (1, 1)
    assert recorder.in_flight() == {}


def test_requests_are_in_flight_until_they_are_answered(
    send: Send, recorder: RequestRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def put_object(call: Any) -> Any:
        seen.append(recorder.in_flight())
        return object_operations.put_object(call)

    monkeypatch.setitem(HANDLERS, Operation.PUT_OBJECT, put_object)  # type: ignore[arg-type]
    send("PUT", "/uploads/a", b"content")

    assert seen == [{"uploads": 1}]
    assert recorder.in_flight() == {}


def test_a_worker_counts_from_its_start() -> None:
    assert isinstance(uploads_app(), UploadsAppConfig)
    assert isinstance(uploads_app().request_recorder, RequestRecorder)
    assert "uploads" in configured_gateway().buckets
