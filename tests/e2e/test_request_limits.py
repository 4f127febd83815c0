"""Limits, quotas and CORS of two gateways that share one PostgreSQL and one Redis."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.gateway import MANAGE
from tests.endurance.node import ACCESS_KEY_ID, Node, running_node
from tests.endurance.retrying import client_of
from tests.endurance.sending import Answer, RawClient
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.postgres import Postgres
from tests.servers.redis_server import Redis, redis_in

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.slow

KIB = 1024
PART_BYTES = 5 * KIB * KIB
PAGE = "https://app.example.org"
BUCKETS = [
    {"name": "files", "storage": "disk"},
    {"name": "objects", "storage": "disk", "quota": {"max_objects": 40}},
    {"name": "crash", "storage": "disk", "quota": {"principal": {"max_bytes": 3 * KIB}}},
    {"name": "unsized", "storage": "disk", "quota": {"max_bytes": 100 * KIB}},
    {
        "name": "parts",
        "storage": "disk",
        "quota": {"per": "month", "max_bytes": PART_BYTES + 10, "max_objects": 1},
    },
    {"name": "rated", "storage": "disk", "throttle": {"requests_per_second": 0.01, "burst": 20}},
    {"name": "narrow", "storage": "disk", "throttle": {"concurrent_uploads": 2}},
    {"name": "one", "storage": "disk", "throttle": {"requests_per_second": 0.01, "burst": 1}},
    {
        "name": "browsers",
        "storage": "disk",
        "cors": [
            {
                "allowed_origins": ["http://127.0.0.1:*"],
                "allowed_methods": ["PUT"],
                "allowed_headers": ["content-type"],
                "expose_headers": ["ETag"],
            }
        ],
    },
    {
        "name": "pages",
        "storage": "disk",
        "throttle": {"requests_per_second": 0.01, "burst": 1},
        "cors": [
            {
                "allowed_origins": [PAGE],
                "allowed_methods": ["PUT"],
                "allowed_headers": ["content-type", "x-amz-*"],
                "expose_headers": ["ETag"],
                "max_age_seconds": 60,
            }
        ],
    },
]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = redis_in(tmp_path_factory.mktemp("limits-redis"))
    with server.running():
        yield server


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver("http/protobuf") as running:
        yield running


@pytest.fixture(scope="module")
def nodes(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis: Redis, receiver: OtlpReceiver
) -> Iterator[tuple[Node, Node]]:
    folder: Path = tmp_path_factory.mktemp("limits")
    tracing = {
        "otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"},
        "batch": {"scheduled_delay_millis": 50},
    }
    shared: dict[str, Any] = {
        "server": {"workers": 1},
        "sections": {"buckets": BUCKETS, "cache": {"url": redis.url}, "tracing": tracing},
    }
    first = Node(folder / "first", database_url=postgres.create_database(), **shared)
    second = Node(
        folder / "second",
        database_url=first.database_url,
        secret_key=first.secret_key,
        secret_access_key=first.secret_access_key,
        **shared,
    )
    with running_node(first), running_node(second):
        yield first, second


@pytest.fixture
def clients(nodes: tuple[Node, Node]) -> tuple[RawClient, RawClient]:
    return client_of(nodes[0]), client_of(nodes[1])


def usage(node: Node, bucket: str) -> tuple[int, int, int, int]:
    """Used bytes and objects, reserved bytes and objects, of the bucket."""
    columns = "used_bytes, used_objects, reserved_bytes, reserved_objects"
    where = f"bucket = '{bucket}' AND principal = ''"
    (row,) = node._select(f"SELECT {columns} FROM uploads_quotausage WHERE {where}")
    return row[0], row[1], row[2], row[3]


def manage(node: Node, *words: str) -> str:
    environment = {**os.environ, **node._environment()}
    command = [sys.executable, str(MANAGE), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_quota_is_exact_whoever_takes_the_uploads(
    nodes: tuple[Node, Node], clients: tuple[RawClient, RawClient]
) -> None:
    codes: Counter[int] = Counter()

    def upload(name: str, client: RawClient) -> None:
        for number in range(10):
            codes[client.put(f"/objects/{name}-{number}", [bytes(100)], 100).status] += 1

    threads = [threading.Thread(target=upload, args=(f"t{n}", clients[n % 2])) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {200: 40, 403: 20}
    assert usage(nodes[0], "objects") == (4000, 40, 0, 0)
    refused = clients[1].put("/objects/more", [b""], 0)
    assert (refused.status, refused.tag("Code")) == (403, "QuotaExceeded")
    (total, mine) = json.loads(manage(nodes[1], "quotas", "--bucket", "objects", "--json"))
    assert (total["used_objects"], total["limit"]["max_objects"]) == (40, 40)
    assert (mine["principal"], mine["used_bytes"]) == ("endurance", 4000)
    assert "40 of 40 objects" in manage(nodes[1], "quotas", "--recount")


def test_what_a_killed_worker_had_reserved_comes_back(
    nodes: tuple[Node, Node], clients: tuple[RawClient, RawClient]
) -> None:
    first, _ = nodes
    sending = clients[0].begin("PUT", "/crash/cut", length=3 * KIB)
    sending.send(bytes(100))
    first.wait(lambda: bool(first._select("SELECT 1 FROM uploads_quotareservation")), "reserved")
    assert clients[1].put("/crash/other", [b"x"], 1).status == 403
    (worker,) = first.workers()
    first.kill_worker(worker)
    first.wait_until_replaced(worker, 1)
    sending.close()
    assert usage(first, "crash") == (0, 0, 0, 0)
    assert clients[1].put("/crash/whole", [bytes(3 * KIB)], 3 * KIB).status == 200


def test_a_body_of_unknown_length_ends_where_the_quota_does(
    nodes: tuple[Node, Node], clients: tuple[RawClient, RawClient]
) -> None:
    too_long = clients[0].put_unsized("/unsized/a", [bytes(60 * KIB), bytes(60 * KIB)])
    assert (too_long.status, too_long.tag("Code")) == (403, "QuotaExceeded")
    assert usage(nodes[0], "unsized") == (0, 0, 0, 0)
    assert not (nodes[0].objects.parent / "unsized" / "a").exists()
    assert clients[0].put_unsized("/unsized/b", [bytes(60 * KIB), bytes(40 * KIB)]).status == 200
    assert usage(nodes[0], "unsized") == (100 * KIB, 1, 0, 0)


def test_a_multipart_upload_holds_its_parts_until_it_is_over(
    nodes: tuple[Node, Node], clients: tuple[RawClient, RawClient]
) -> None:
    client = clients[0]
    upload_id = client.create_multipart("/parts/k")
    second = client.call("POST", "/parts/other", query={"uploads": ""})
    assert (second.status, second.tag("Code")) == (403, "QuotaExceeded")

    def part(number: int, length: int) -> Answer:
        query = {"partNumber": str(number), "uploadId": upload_id}
        return client.put("/parts/k", [bytes(length)], length, query=query)

    etags = [part(1, PART_BYTES).etag, part(2, 9).etag]
    assert part(2, 11).tag("Code") == "QuotaExceeded"
    etags[1] = part(2, 1).etag
    assert usage(nodes[0], "parts") == (0, 0, PART_BYTES + 1, 1)
    assert client.complete("/parts/k", upload_id, etags).status == 200
    assert usage(nodes[0], "parts") == (PART_BYTES + 1, 1, 0, 0)
    assert client.complete("/parts/k", upload_id, etags).status == 200
    assert usage(nodes[0], "parts") == (PART_BYTES + 1, 1, 0, 0)


def spans_of(node: Node, receiver: OtlpReceiver, answer: Answer) -> dict[str, dict[str, Any]]:
    """The attributes of the spans of an answered request, by their names."""
    trace_id = answer.headers["x-amz-request-id"]
    found: list[Span] = []

    def arrived() -> bool:
        found[:] = [span for span in receiver.spans() if span.trace_id.hex() == trace_id]
        return any(not span.parent_span_id for span in found)

    node.wait(arrived, "traced")
    return {span.name: {each.key: each.value.string_value for each in span.attributes} for span in found}


def test_traces_say_which_limit_refused(
    nodes: tuple[Node, Node], clients: tuple[RawClient, RawClient], receiver: OtlpReceiver
) -> None:
    refused = clients[0].put("/unsized/large", [b""], 200 * KIB)
    spans = spans_of(nodes[0], receiver, refused)
    root = spans["PUT s3.PutObject"]
    assert (root["mizuchi.limit.kind"], root["mizuchi.limit.reason"]) == ("quota", "bucket_bytes")
    assert spans["quota.reserve"]["error.type"] == "QuotaExceeded"
    clients[0].put("/one/k", [b""], 0)
    refused = clients[0].put("/one/k", [b""], 0)
    spans = spans_of(nodes[0], receiver, refused)
    root = spans["PUT s3.PutObject"]
    assert (root["mizuchi.limit.kind"], root["mizuchi.limit.reason"]) == ("rate", "bucket")
    assert spans["limits.take"]["db.system.name"] == "redis"
    counted = (
        'mizuchi_limit_refusals_total{bucket="unsized",kind="quota",reason="bucket_bytes"}',
        'mizuchi_limit_refusals_total{bucket="one",kind="rate",reason="bucket"}',
    )
    nodes[0].wait(lambda: all(each in nodes[0].metrics() for each in counted), "counted")


def test_a_rate_counts_over_both_nodes(clients: tuple[RawClient, RawClient]) -> None:
    answers = [clients[n % 2].put(f"/rated/{n}", [b"x"], 1) for n in range(24)]
    assert Counter(answer.status for answer in answers) == {200: 20, 503: 4}
    refused = answers[-1]
    assert refused.tag("Code") == "SlowDown"
    assert 90 <= int(refused.headers["retry-after"]) <= 100
    assert clients[0].put("/files/free", [b"x"], 1).status == 200


def places(redis: Redis) -> int:
    with redis.client() as client:
        return sum(client.zcard(name) for name in client.keys("mizuchi:uploads:*"))


def test_uploads_at_a_time_count_over_both_nodes(
    nodes: tuple[Node, Node], clients: tuple[RawClient, RawClient], redis: Redis
) -> None:
    under_way = [client.begin("PUT", "/narrow/slow", length=2) for client in clients]
    nodes[0].wait(lambda: places(redis) == 2, "counted")
    refused = clients[0].put("/narrow/third", [b"x"], 1)
    assert (refused.status, refused.tag("Code")) == (503, "SlowDown")
    assert clients[0].call("HEAD", "/narrow/third").status == 404
    for sending in under_way:
        with sending:
            sending.send(b"xx")
            assert sending.answer().status == 200
    assert clients[0].put("/narrow/third", [b"x"], 1).status == 200
    assert places(redis) == 0


def preflight(client: RawClient, path: str, origin: str = PAGE, method: str = "PUT") -> Answer:
    headers = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "content-type,x-amz-date",
    }
    return client.call("OPTIONS", path, headers=headers)


def test_a_preflight_is_answered_by_the_rules(clients: tuple[RawClient, RawClient]) -> None:
    answer = preflight(clients[0], "/pages/k")
    said = {name: text for name, text in answer.headers.items() if name.startswith("access-control")}
    assert answer.status == 200
    assert said == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "content-type, x-amz-date",
        "access-control-expose-headers": "ETag",
        "access-control-max-age": "60",
    }
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("path", "origin", "method"),
    [
        ("/pages/k", "https://evil.example.org", "PUT"),
        ("/pages/k", PAGE, "DELETE"),
        ("/files/k", PAGE, "PUT"),
        ("/nowhere/k", PAGE, "PUT"),
    ],
    ids=["origin", "method", "no rules", "no bucket"],
)
def test_any_other_preflight_is_refused_alike(
    clients: tuple[RawClient, RawClient], path: str, origin: str, method: str
) -> None:
    answer = preflight(clients[0], path, origin, method)
    assert (answer.status, answer.tag("Code")) == (403, "AccessForbidden")
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_may_read_answers_and_refusals(clients: tuple[RawClient, RawClient]) -> None:
    headers = {"origin": PAGE}
    stored = clients[0].call("PUT", "/pages/k", body=b"x", headers=headers)
    refused = clients[0].call("PUT", "/pages/k", body=b"x", headers=headers)
    assert (stored.status, refused.status) == (200, 503)
    for answer in (stored, refused):
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["access-control-expose-headers"] == "ETag"
    foreign = clients[0].call("PUT", "/pages/k", body=b"x", headers={"origin": "https://evil.example.org"})
    assert "access-control-allow-origin" not in foreign.headers
    assert "Origin" in foreign.headers["vary"]


PUT = """async url => {
    const answer = await fetch(url, {method: "PUT", body: "hello", headers: {"content-type": "text/x-hello"}})
    return [answer.status, answer.headers.get("etag"), await answer.text()]
}"""


class OtherSite(BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.send_header("content-type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def other_site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), OtherSite) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        serving.join()


def test_a_browser_uploads_from_a_page_of_another_site(
    nodes: tuple[Node, Node], other_site: str, chromium: BrowserContext
) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=nodes[0].endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=nodes[0].secret_access_key,
        config=Config(signature_version="s3v4"),
    )

    def url(bucket: str) -> str:
        address = {"Bucket": bucket, "Key": "from-a-page", "ContentType": "text/x-hello"}
        return client.generate_presigned_url("put_object", Params=address)

    page = chromium.new_page()
    page.goto(other_site)
    status, etag, _ = page.evaluate(PUT, url("browsers"))
    assert (status, etag) == (200, f'"{hashlib.md5(b"hello").hexdigest()}"')
    signed = url("browsers")
    status, _, said = page.evaluate(PUT, signed[:-1] + ("1" if signed.endswith("0") else "0"))
    assert status == 403
    assert "SignatureDoesNotMatch" in said, "a page may read why it was refused"
    with pytest.raises(playwright_error(), match="Failed to fetch"):
        page.evaluate(PUT, url("files"))
    assert not (nodes[0].objects / "from-a-page").exists()


def playwright_error() -> type[Exception]:
    from playwright.sync_api import Error

    return Error
