"""Webhooks of a real gateway that is killed in the middle of them, and code that listens in its process."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.traced import attributes
from tests.endurance.node import Node, running_node
from tests.endurance.retrying import client_of
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.postgres import Postgres
from tests.servers.webhook_receiver import PAGE, SECRET, WebhookReceiver, listening

pytestmark = pytest.mark.slow

CLIENTS = 4
LONG_ENOUGH = 40


@dataclass
class Site:
    """``serving`` ends, when it is closed, the receiver's listening."""

    node: Node
    receiver: WebhookReceiver
    collector: OtlpReceiver
    serving: ExitStack

    def pending(self, column: str) -> str:
        """What the deliveries that wait have in that column."""
        return str(self.node._select(f"SELECT {column} FROM uploads_webhookdelivery WHERE state = 'PENDING'"))

    def spans(self, trace_id: str) -> list[Span]:
        return [each for each in self.collector.spans() if each.trace_id.hex() == trace_id]

    def put(self, key: str) -> str:
        """Stores an object; returns the trace id of its upload."""
        answer = client_of(self.node).put(f"/files/{key}", [b"small"], 5)
        assert answer.status == 200
        return answer.headers["x-amz-request-id"]


def documented_application(folder: Path) -> dict[str, str]:
    """The application of the documentation that listens, and the environment that has it in the gateway."""
    blocks = re.findall(r"^```python\n# (\w+(?:/\w+)?\.py)[^\n]*\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert [name for name, _ in blocks] == ["myapp/apps.py", "mysite.py"]
    for name, text in blocks:
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (folder / "myapp" / "__init__.py").touch()
    return {"DJANGO_SETTINGS_MODULE": "mysite", "PYTHONPATH": str(folder)}


def bucket(url: str) -> dict[str, Any]:
    retry = {"initial_seconds": 1, "max_seconds": 2}
    hook = {"name": "indexer", "url": url, "secrets": [SECRET], "timeout_seconds": 5, "retry": retry}
    return {"name": "files", "storage": "disk", "webhooks": [hook]}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, url = tmp_path_factory.mktemp("webhooks"), ""
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.create_database()
    receiver = WebhookReceiver()
    receiver.gate.set()
    with ExitStack() as serving, otlp_receiver("http/protobuf") as collector:
        serving.enter_context(listening(receiver))
        sections = {
            "buckets": [bucket(receiver.url)],
            "tracing": {
                "otlp": {"endpoint": collector.endpoint, "protocol": "http/protobuf"},
                "batch": {"scheduled_delay_millis": 100},
            },
        }
        node = Node(folder, database_url=url, environment=documented_application(folder), sections=sections)
        with running_node(node) as running:
            yield Site(running, receiver, collector, serving)


def keys(receiver: WebhookReceiver) -> set[str]:
    return {each.event["data"]["key"] for each in list(receiver.events)}


def put_until_it_ends(node: Node, number: int, answered: list[str]) -> None:
    client = client_of(node)
    for nth in range(100_000):
        try:
            answer = client.put(f"/files/{number}-{nth}", [b"small"], 5)
        except (OSError, http.client.HTTPException):
            return
        if answer.status != 200:
            return
        answered.append(f"{number}-{nth}")


def test_what_was_answered_is_delivered_although_all_is_killed(site: Site) -> None:
    """Some of it while the receiver keeps the gateway waiting: claimed, sent, and without an answer."""
    answered: list[str] = []
    site.receiver.gate.clear()
    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(put_until_it_ends, site.node, each, answered) for each in range(CLIENTS)]
            site.node.wait(lambda: len(answered) >= LONG_ENOUGH, "answered")
            site.receiver.wait_for_tries(1)
            site.node.kill()
        assert [each.result() for each in running] == [None] * CLIENTS
        assert not keys(site.receiver) & set(answered)
    finally:
        site.receiver.gate.set()
    site.node.start()

    site.node.wait(lambda: set(answered) <= keys(site.receiver), "delivered", 60)
    ids = {each.headers["webhook-id"]: each.event["data"]["key"] for each in site.receiver.events}
    assert len(ids) == len(set(ids.values())), "one event for each object, however often it is sent"


def test_a_delivery_is_in_the_trace_of_its_upload(site: Site) -> None:
    site.put("before")
    site.node.wait(lambda: "before" in keys(site.receiver), "delivered")
    tries = -1
    while tries != site.receiver.tries:  # of uploads before, whose tries would be taken for this one's
        tries = site.receiver.tries
        time.sleep(1)
    site.receiver.status = 503
    trace_id = site.put("traced")
    site.receiver.wait_for_tries(tries + 1)
    site.receiver.status = 204

    site.node.wait(lambda: "traced" in keys(site.receiver), "delivered")
    received = next(each for each in site.receiver.events if each.event["data"]["key"] == "traced")
    assert received.headers["traceparent"].split("-")[1] == trace_id
    assert received.event["data"]["requestId"] == trace_id

    site.node.wait(lambda: len(deliveries_in(site.spans(trace_id))) == 2, "exported")
    upload = next(each for each in site.spans(trace_id) if each.name == "upload.put_object")
    first, second = deliveries_in(site.spans(trace_id))
    assert received.headers["traceparent"].split("-")[2] == second.span_id.hex()
    assert received.event["traceparent"].split("-")[2] == upload.span_id.hex()
    assert {first.parent_span_id, second.parent_span_id} == {upload.span_id}
    assert attributes(first)["http.response.status_code"] == 503
    assert attributes(second)["http.response.status_code"] == 204
    assert attributes(second)["http.request.resend_count"] == 1
    exported = b"".join(request.SerializeToString() for request in site.collector.requests)
    assert b"of-the-query" not in exported
    assert b"/hook" not in exported


def deliveries_in(spans: Sequence[Span]) -> list[Span]:
    """In the order of tries."""
    found = [each for each in spans if each.name == "webhook.deliver"]
    return sorted(found, key=lambda each: attributes(each)["mizuchi.webhook.attempt"])


def test_a_receiver_that_was_away_gets_what_it_missed(site: Site) -> None:
    site.serving.close()
    site.put("missed")
    site.node.wait(lambda: "refuses connections" in site.pending("last_error"), "tried")

    site.serving.enter_context(listening(site.receiver))
    site.node.wait(lambda: "missed" in keys(site.receiver), "delivered")


def test_metrics_tell_of_tries_and_of_what_waits(site: Site) -> None:
    site.put("counted")
    site.node.wait(lambda: "counted" in keys(site.receiver), "delivered")
    webhook = 'bucket="files",webhook="indexer"'
    told = f'mizuchi_webhook_tries_total{{{webhook},outcome="delivered"}}'
    site.node.wait(lambda: told in site.node.metrics(), "counted")
    nothing = [f'mizuchi_webhook_undelivered{{{webhook},state="{state}"}} 0' for state in ("pending", "dead")]
    site.node.wait(lambda: all(each in site.node.metrics() for each in nothing), "looked at", 60)


def test_an_application_in_the_process_is_told(site: Site) -> None:
    site.put("listened")
    site.node.wait(lambda: "files listened 5" in site.node.log.read_text(), "told")


def test_the_documented_bodies_are_json() -> None:
    blocks = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert len(blocks) == 2
    for block in blocks:
        json.loads(block)
