"""What a trace tells of the flow of a body is true: clients that trickle and storages that are slow."""

from __future__ import annotations

import fcntl
import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mizuchi_site.bench.null_s3 import running_null_s3
from tests.e2e.gateway import FILES, SEAWEED, Gateway, running_gateway
from tests.e2e.odd_storages import SAVE_SECONDS
from tests.e2e.traced import Traced, attributes
from tests.e2e.wire.client import Answer, Request, connected
from tests.e2e.wire.forms import fields, form
from tests.e2e.wire.scene import Scene, crc32_of
from tests.e2e.wire.signing import UNSIGNED_TRAILER, unsigned_chunks
from tests.servers.otlp_receiver import otlp_receiver
from tests.servers.seaweedfs import SeaweedFS

PAUSE_SECONDS = 2.5
STALL_SECONDS = 3.0
BODY = b"x" * 1000
SLOW_S3, DJANGO = "slows3", "django"
STORAGES = (FILES, SEAWEED, DJANGO)
PUT, PART = "upload.put_object", "upload.part"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("events")
    with ExitStack() as stack:
        receiver = stack.enter_context(otlp_receiver("http/protobuf"))
        sections = {
            "server": {"body_stall_seconds": STALL_SECONDS},
            "tracing": {
                "otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"},
                "batch": {"scheduled_delay_millis": 100},
            },
            "storages": {
                "disk": {"backend": "filesystem", "location": str(folder / "objects")},
                "seaweed": s3_storage(seaweedfs.endpoint, seaweedfs.access_key, seaweedfs.secret_key),
                "slow": s3_storage(stack.enter_context(running_null_s3(bytes_per_second=400_000))),
                "django": {
                    "backend": "tests.e2e.odd_storages.SlowStorage",
                    "options": {"location": str(folder / "django"), "allow_overwrite": True},
                    "staging": str(folder / "staging"),
                },
            },
            "buckets": [
                {"name": FILES, "storage": "disk"},
                {"name": SEAWEED, "storage": "seaweed", "target": seaweedfs.create_bucket("events")},
                {"name": SLOW_S3, "storage": "slow"},
                {"name": DJANGO, "storage": "django"},
            ],
        }
        gateway = stack.enter_context(running_gateway(folder, seaweedfs, sections))
        yield Traced(gateway, receiver)


def s3_storage(endpoint: str, access_key: str = "any", secret_key: str = "any") -> dict[str, str]:
    keys = {"access_key": access_key, "secret_key": secret_key}
    return {"backend": "s3", "endpoint": endpoint, "region": "us-east-1", **keys}


def put(scene: Scene, body: bytes = BODY) -> Request:
    return scene.owner.sign(scene.put(body))


def chunked_put(scene: Scene) -> Request:
    name = "x-amz-checksum-crc32"
    headers = {
        "x-amz-content-sha256": UNSIGNED_TRAILER,
        "x-amz-decoded-content-length": str(len(BODY)),
        "x-amz-trailer": name,
    }
    body = b"".join(unsigned_chunks([BODY], (name, crc32_of(BODY))))
    return scene.owner.sign(scene.request("PUT", headers=headers)).with_body(body)


def part(scene: Scene, body: bytes = BODY) -> Request:
    query = f"partNumber=1&uploadId={scene.upload()}"
    return scene.owner.sign(scene.request("PUT", query=query, body=body))


def post_form(scene: Scene) -> Request:
    return form(scene, fields(scene), BODY)


FLOWS: dict[str, tuple[str, Callable[[Scene], Request], Sequence[str]]] = {
    "put": (PUT, put, STORAGES),
    "aws-chunked": (PUT, chunked_put, [FILES]),
    "part": (PART, part, STORAGES),
    "form": (PUT, post_form, STORAGES),
}


def trickle(scene: Scene, request: Request, pauses: Sequence[tuple[int, float]]) -> Answer | None:
    """Send the head, then the body up to each position before its pause, then the rest."""
    with connected(scene.port) as connection:
        connection.send(request.head())
        sent = 0
        for position, seconds in pauses:
            connection.send(request.body[sent:position])
            sent = position
            time.sleep(seconds)
        connection.send(request.body[sent:])
        return connection.answer(request.method)


def upload_span(traced: Traced, answer: Answer | None, name: str) -> Span:
    assert answer is not None
    return traced.span(answer.headers["x-amz-request-id"], name)


def events(span: Span) -> list[str]:
    """The names of the events, which must be in order and within the span."""
    times = [span.start_time_unix_nano, *(e.time_unix_nano for e in span.events), span.end_time_unix_nano]
    assert times == sorted(times), times
    return [event.name for event in span.events]


def values(event: Span.Event) -> dict[str, Any]:
    return attributes(event)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "build", "bucket"),
    [
        pytest.param(name, build, bucket, id=f"{flow}-{bucket}")
        for flow, (name, build, buckets) in FLOWS.items()
        for bucket in buckets
    ],
)
def test_a_client_that_pauses_is_seen_and_no_one_else(
    traced: Traced, name: str, build: Callable[[Scene], Request], bucket: str
) -> None:
    scene = Scene(traced.gateway, bucket)
    request = build(scene)

    answer = trickle(scene, request, [(len(request.body) - 300, PAUSE_SECONDS)])

    span = upload_span(traced, answer, name)
    assert answer is not None
    assert answer.status < 300, answer
    told = attributes(span)
    assert events(span) == [
        "body.first_byte",
        "body.stalled",
        "body.received",
        "body.verified",
        "object.committed",
    ]
    assert 1000 <= values(span.events[1])["mizuchi.stall_ms"] <= told["mizuchi.upload.receive_wait_ms"]
    assert told["mizuchi.upload.stalls"] == 1
    assert told["mizuchi.upload.receive_wait_ms"] > 1500 > told["mizuchi.upload.backend_wait_ms"]
    first, stalled = span.events[0].time_unix_nano, span.events[1].time_unix_nano
    assert stalled - first > 1_500_000_000


@contextmanager
def busy_key(gateway: Gateway, bucket: str, key: str) -> Iterator[None]:
    """Another writer holds the lock of this key in the storage of ``files``, for a while."""
    lock = gateway.objects / ".mizuchi" / "locks" / hashlib.sha256(key.encode()).hexdigest()[:2]
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        timer = threading.Timer(PAUSE_SECONDS, fcntl.flock, (file, fcntl.LOCK_UN))
        timer.start()
        try:
            yield
        finally:
            timer.join()


def nobody(gateway: Gateway, bucket: str, key: str) -> Any:
    return ExitStack()


SLOW_STORAGES = {
    "files": (FILES, PUT, put, busy_key, BODY),
    "s3-put": (SLOW_S3, PUT, put, nobody, bytes(1_000_000)),
    "s3-part": (SLOW_S3, PART, part, nobody, bytes(1_000_000)),
    "django": (DJANGO, PUT, put, nobody, BODY),
}


@pytest.mark.parametrize(
    ("bucket", "name", "build", "while_", "body"), SLOW_STORAGES.values(), ids=SLOW_STORAGES
)
def test_a_storage_that_is_slow_is_seen_and_no_one_else(
    traced: Traced, bucket: str, name: str, build: Callable[..., Request], while_: Any, body: bytes
) -> None:
    assert SAVE_SECONDS == PAUSE_SECONDS
    scene = replace(Scene(traced.gateway, bucket), key="slow/object")
    request = build(scene, body)

    with while_(traced.gateway, bucket, scene.key):
        answer = scene.send(request)

    span = upload_span(traced, answer, name)
    told = attributes(span)
    assert answer.status == 200
    assert events(span) == ["body.first_byte", "body.received", "body.verified", "object.committed"]
    assert told["mizuchi.upload.backend_wait_ms"] > 1500 > told["mizuchi.upload.receive_wait_ms"]
    verified, committed = span.events[2].time_unix_nano, span.events[3].time_unix_nano
    assert committed - verified > (1_500_000_000 if len(body) < 256 * 1024 else 0)


def test_a_database_that_is_slow_is_seen_and_no_one_else(traced: Traced) -> None:
    scene = Scene(traced.gateway, FILES)
    request = put(scene)
    with closing(sqlite3.connect(traced.gateway.database, timeout=10, check_same_thread=False)) as database:
        database.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(PAUSE_SECONDS, database.rollback)
        timer.start()
        answer = scene.send(request)
        timer.join()

    assert answer.status == 200
    told = attributes(upload_span(traced, answer, PUT))
    assert told["mizuchi.record_wait_ms"] > 1500
    assert told["mizuchi.upload.receive_wait_ms"] + told["mizuchi.upload.backend_wait_ms"] < 1500


def test_stalls_before_the_first_byte_and_between_are_told_in_order(traced: Traced) -> None:
    scene = Scene(traced.gateway, FILES)

    answer = trickle(scene, put(scene), [(0, 1.3), (10, 1.3), (20, 1.3)])

    span = upload_span(traced, answer, PUT)
    assert events(span).count("body.stalled") == attributes(span)["mizuchi.upload.stalls"] == 3
    assert events(span)[-3:] == ["body.received", "body.verified", "object.committed"]


def test_a_body_that_the_time_limit_ends_says_so(traced: Traced) -> None:
    scene = Scene(traced.gateway, FILES)
    request = put(scene)
    with connected(scene.port) as connection:
        connection.send(request.head() + request.body[:10])
        answer = connection.answer("PUT")

    span = upload_span(traced, answer, PUT)
    assert events(span) == ["body.first_byte", "body.stalled"]
    assert values(span.events[1])["mizuchi.stall_ms"] >= STALL_SECONDS * 1000 - 100
    assert attributes(span)["error.type"] == "RequestTimeout"
    assert attributes(span)["mizuchi.upload.bytes"] == 10


def test_a_false_body_was_received_and_never_verified(traced: Traced) -> None:
    scene = Scene(traced.gateway, FILES)
    answer = scene.send(put(scene).with_body(b"y" * len(BODY)))

    assert events(upload_span(traced, answer, PUT)) == ["body.first_byte", "body.received"]
