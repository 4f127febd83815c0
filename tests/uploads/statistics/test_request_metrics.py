"""What requests of the S3 API, their callers and their storages come to in the metrics."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.credentials import create_access_key
from authz.metrics import AUTHENTICATIONS, REFUSALS
from mizuchi_site.front_door import LeanHandler
from tests.e2e.wire.client import Request
from tests.e2e.wire.signing import Signer
from tests.uploads.statistics.test_counted_requests import environ_of
from tracing_app.metrics import families
from tracing_app.metrics.families import Family, note_in
from tracing_app.metrics.noted import NotedMetrics
from tracing_app.metrics.readings import Distribution, Readings
from uploads.apps import uploads_app
from uploads.backends.errors import BackendUnavailable
from uploads.backends.filesystem import FilesystemBackend
from uploads.backends.measured import CALLS
from uploads.statistics.metrics import (
    BODY_SIZE,
    DURATION,
    IN_FLIGHT,
    REQUESTS,
    TRANSFER_SECONDS,
    UPLOADS,
    RequestMetrics,
)
from uploads.statistics.recorder import NO_BUCKET
from uploads.views import S3View

pytestmark = pytest.mark.django_db

TRACE = "c" * 32
Send = Callable[..., int]


class Measured:
    """Of the traces only TRACE was kept."""

    def __init__(self) -> None:
        self.requests = RequestMetrics(lambda: {TRACE}, lambda: {"uploads": 1})
        self.noted = NotedMetrics(lambda: {TRACE})

    def of(self, family: Family) -> dict[tuple[str, ...], object]:
        return dict(Readings([*self.requests.collect(), *self.noted.collect()]).of(family))

    def observed(self, family: Family) -> dict[tuple[str, ...], tuple[int, float]]:
        """How many observations, and their sum."""
        return {
            labels: (sum(value.counts), value.sum)
            for labels, value in self.of(family).items()
            if isinstance(value, Distribution)
        }


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    measured = Measured()
    monkeypatch.setattr(uploads_app(), "request_metrics", measured.requests)
    monkeypatch.setattr(families._Noting, "notes", None)
    note_in(measured.noted.notes, lambda: TRACE)
    return measured


@pytest.fixture
def send(measured: Measured) -> Send:
    """Sends a signed request under the trace id TRACE; returns the status."""
    key, secret = create_access_key("measured")
    handler = LeanHandler(S3View.as_view(), "")

    def send(method: str, path: str, body: bytes = b"", **changes: str) -> int:
        headers = (("Host", "h"), ("Content-Length", str(len(body))))
        request = Signer(key.access_key_id, secret).sign(Request(method, path, "", headers, body))
        environ = environ_of(request) | {"HTTP_TRACEPARENT": f"00-{TRACE}-{'d' * 16}-01"} | changes
        status: list[int] = []
        answer = handler(environ, lambda line, headers, info=None: status.append(int(line[:3])))
        list(answer)
        answer.close()  # type: ignore[attr-defined]
        return status[0]

    return send


def test_an_upload(send: Send, measured: Measured) -> None:
    assert send("PUT", "/uploads/measured.txt", b"content") == 200
    assert send("PUT", "/uploads/measured.txt", b"more") == 200

    assert measured.of(REQUESTS) == {("PutObject", "uploads", "200", ""): 2.0}
    assert measured.of(UPLOADS) == {("uploads", "simple"): 2.0}
    assert measured.observed(BODY_SIZE) == {("PUT", "PutObject", "uploads"): (2, 11.0)}
    assert measured.of(IN_FLIGHT) == {("uploads",): 1.0}
    assert measured.of(AUTHENTICATIONS) == {("sigv4", "success", ""): 2.0}
    ((labels, (count, seconds)),) = measured.observed(DURATION).items()
    assert (labels, count) == (("PUT", "PutObject", "uploads", "200"), 2)
    spent = measured.of(TRANSFER_SECONDS)
    assert set(spent) == {("uploads", part) for part in ("client", "storage", "gateway")}
    assert sum(spent.values()) == pytest.approx(seconds)  # type: ignore[arg-type]
    ((labels, (count, stored)),) = measured.observed(CALLS).items()
    assert (labels, count) == (("local", "file.write", ""), 2)
    assert stored <= spent["uploads", "storage"]  # type: ignore[operator]


def test_a_kept_trace_is_an_example_of_each_duration(send: Send, measured: Measured) -> None:
    send("PUT", "/uploads/measured.txt", b"content")
    for family in (DURATION, CALLS):
        (value,) = measured.of(family).values()
        assert isinstance(value, Distribution)
        assert [exemplar.trace_id for exemplar in value.exemplars.values()] == [TRACE]


def test_refusals_say_by_whom_and_nothing_that_clients_made_up(send: Send, measured: Measured) -> None:
    send("PUT", "/uploads/a", b"content", HTTP_AUTHORIZATION="")
    send("PUT", "/somebody/a")
    send("SOMEBODY", "/uploads/somebody")

    assert measured.of(AUTHENTICATIONS) == {
        ("sigv4", "failure", "AccessDenied"): 1.0,
        ("sigv4", "success", ""): 1.0,
    }
    assert measured.of(REQUESTS) == {
        ("PutObject", "uploads", "403", "AccessDenied"): 1.0,
        ("PutObject", NO_BUCKET, "404", "NoSuchBucket"): 1.0,
        ("", NO_BUCKET, "405", "MethodNotAllowed"): 1.0,
    }
    assert {method for method, *_ in measured.of(DURATION)} == {"PUT", "_OTHER"}
    assert measured.of(UPLOADS) == {}


def test_a_storage_that_fails(send: Send, measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise BackendUnavailable(detail="away")

    monkeypatch.setattr(FilesystemBackend, "put_object", fail)
    assert send("PUT", "/uploads/a", b"content") == 503
    assert list(measured.observed(CALLS)) == [("local", "file.write", "BackendUnavailable")]
    assert measured.of(REQUESTS) == {("PutObject", "uploads", "503", "ServiceUnavailable"): 1.0}


def test_a_key_that_is_not_good_for_a_bucket(send: Send, measured: Measured) -> None:
    key, secret = create_access_key("elsewhere", buckets=["another"])
    request = Signer(key.access_key_id, secret).sign(
        Request("PUT", "/uploads/a", "", (("Host", "h"), ("Content-Length", "0")), b"")
    )
    headers = {name: value for name, value in environ_of(request).items() if name.startswith("HTTP_")}
    assert send("PUT", "/uploads/a", **headers) == 403
    assert measured.of(REFUSALS) == {("scope",): 1.0}
