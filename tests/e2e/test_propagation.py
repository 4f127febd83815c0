"""The context of a client's request as the storage behind the gateway gets it, and as the trace tells it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import parse_headers
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mizuchi_site.bench.null_s3 import answer
from tests.e2e.gateway import FILES, SEAWEED, running_gateway
from tests.e2e.traced import Traced
from tests.e2e.wire.client import Answer, Request, exchange
from tests.e2e.wire.scene import Scene, parts_xml
from tests.servers.otlp_receiver import otlp_receiver
from tests.servers.scripted import Peer, scripted_server
from tests.servers.seaweedfs import SeaweedFS

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STATE = ("1a-2f@vendor=0;x:y", "", "foo=a b , bar=!")
STATE_OUT = "1a-2f@vendor=0;x:y,foo=a b,bar=!"
BAGGAGE = ("tenant=Am%C3%A9lie;p=1", "c=2")
BAGGAGE_OUT = "tenant=Am%C3%A9lie;p=1,c=2"


@dataclass(frozen=True, slots=True)
class Got:
    """A request as the storage got it. ``headers`` are its context headers, each with every value."""

    operation: str
    headers: dict[str, list[str]]

    @property
    def traceparent(self) -> list[str]:
        (value,) = self.headers["traceparent"]
        return value.split("-")


@dataclass
class CapturingS3:
    """A storage that answers as one would, and keeps the context of what it was asked."""

    got: list[Got] = field(default_factory=list)

    def script(self, peer: Peer, number: int) -> None:
        while True:
            head, body = peer.read_request()
            if not head:
                return
            self.got.append(_got(head))
            peer.sock.sendall(answer(head.decode("latin-1"), len(body)))

    def of_trace(self, trace_id: str) -> list[Got]:
        return [got for got in self.got if got.headers["traceparent"] and got.traceparent[1] == trace_id]


def _got(head: bytes) -> Got:
    line, _, rest = head.partition(b"\r\n")
    method, target, _ = line.decode("latin-1").split(" ")
    sent = parse_headers(BytesIO(rest + b"\r\n\r\n"))
    names = ("traceparent", "tracestate", "baggage")
    return Got(_operation(method, target), {name: sent.get_all(name, []) for name in names})


def _operation(method: str, target: str) -> str:
    query = parse_qs(urlsplit(target).query, keep_blank_values=True)
    match method:
        case "POST":
            return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
        case "PUT":
            return "UploadPart" if "partNumber" in query else "PutObject"
        case "GET":
            return "ListParts"
        case "DELETE":
            return "AbortMultipartUpload"
    return method


@dataclass
class Site:
    """A gateway before two storages, of which one may have baggage."""

    traced: Traced
    storages: dict[str, CapturingS3]

    def send(self, scene: Scene, request: Request, *headers: tuple[str, str]) -> Answer:
        """Signed, with more headers that are not."""
        request = scene.owner.sign(request)
        for name, value in headers:
            request = request.and_header(name, value)
        sent = scene.send(request)
        assert sent.status in (200, 204), sent.body
        return sent

    def scene(self, bucket: str) -> Scene:
        return Scene(self.traced.gateway, bucket)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[Site]:
    storages = {"listed": CapturingS3(), "unlisted": CapturingS3()}
    with ExitStack() as stack:
        endpoints = {
            name: stack.enter_context(scripted_server(storage.script)).endpoint
            for name, storage in storages.items()
        }
        receiver = stack.enter_context(otlp_receiver("http/protobuf"))
        sections = {
            "storages": {name: _storage(endpoint) for name, endpoint in endpoints.items()},
            "buckets": [
                *({"name": name, "storage": name} for name in endpoints),
                *({"name": name, "storage": "listed"} for name in (FILES, SEAWEED)),
            ],
            "tracing": {
                "otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"},
                "batch": {"scheduled_delay_millis": 100},
                "propagation": {"baggage_hosts": [endpoints["listed"].removeprefix("http://")]},
            },
        }
        folder = tmp_path_factory.mktemp("propagation")
        gateway = stack.enter_context(running_gateway(folder, seaweedfs, sections))
        yield Site(Traced(gateway, receiver), storages)


def _storage(endpoint: str) -> dict[str, Any]:
    return {"backend": "s3", "endpoint": endpoint, "access_key": "AK", "secret_key": "secret"}


@pytest.fixture(params=["listed", "unlisted"])
def bucket(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def context(trace_id: str, flags: str = "01") -> list[tuple[str, str]]:
    """All three headers, two of them in several fields."""
    return [
        ("traceparent", f"00-{trace_id}-{PARENT}-{flags}"),
        *(("tracestate", text) for text in STATE),
        *(("baggage", text) for text in BAGGAGE),
    ]


def put_object(site: Site, scene: Scene, headers: list[tuple[str, str]]) -> None:
    site.send(scene, scene.put(), *headers)


def upload_in_parts(site: Site, scene: Scene, headers: list[tuple[str, str]]) -> None:
    upload_id = begin(site, scene, headers)
    part = scene.request("PUT", query=f"partNumber=1&uploadId={upload_id}", body=b"part")
    etag = site.send(scene, part, *headers).headers["etag"]
    site.send(scene, scene.request("GET", query=f"uploadId={upload_id}"), *headers)
    document = parts_xml([(1, etag)])
    site.send(scene, scene.request("POST", query=f"uploadId={upload_id}", body=document), *headers)


def abort_an_upload(site: Site, scene: Scene, headers: list[tuple[str, str]]) -> None:
    upload_id = begin(site, scene, headers)
    site.send(scene, scene.request("DELETE", query=f"uploadId={upload_id}"), *headers)


def begin(site: Site, scene: Scene, headers: list[tuple[str, str]]) -> str:
    return site.send(scene, scene.request("POST", query="uploads="), *headers).text("UploadId")


@pytest.mark.parametrize(
    ("act", "calls"),
    [
        pytest.param(put_object, [("PutObject", "S3.PutObject")], id="put"),
        pytest.param(
            upload_in_parts,
            [
                ("CreateMultipartUpload", "S3.CreateMultipartUpload"),
                ("UploadPart", "S3.UploadPart"),
                ("ListParts", "S3.ListParts"),
                ("ListParts", "S3.ListParts"),
                ("ListParts", "S3.CompleteMultipartUpload"),
                ("CompleteMultipartUpload", "S3.CompleteMultipartUpload"),
            ],
            id="parts",
        ),
        pytest.param(
            abort_an_upload,
            [
                ("CreateMultipartUpload", "S3.CreateMultipartUpload"),
                ("AbortMultipartUpload", "S3.AbortMultipartUpload"),
            ],
            id="abort",
        ),
    ],
)
def test_every_call_is_below_its_client_span_and_has_what_the_client_sent(
    site: Site, bucket: str, act: Any, calls: list[tuple[str, str]]
) -> None:
    trace_id = uuid.uuid4().hex
    act(site, site.scene(bucket), context(trace_id))

    got = site.storages[bucket].of_trace(trace_id)
    spans = _client_spans(site, {each.traceparent[2] for each in got})
    assert [(each.operation, spans.get(each.traceparent[2])) for each in got] == calls
    assert {each.traceparent[3] for each in got} == {"01"}
    assert [each.headers["tracestate"] for each in got] == [[STATE_OUT]] * len(calls)
    expected = [BAGGAGE_OUT] if bucket == "listed" else []
    assert [each.headers["baggage"] for each in got] == [expected] * len(calls)


def _client_spans(site: Site, span_ids: set[str]) -> dict[str, str]:
    """The names of these CLIENT spans by span id. Each worker exports its own, so they are waited for."""
    deadline = time.monotonic() + 10
    while True:
        arrived = {
            span.span_id.hex(): span.name
            for span in site.traced.receiver.spans()
            if span.kind == Span.SPAN_KIND_CLIENT and span.span_id.hex() in span_ids
        }
        if len(arrived) == len(span_ids) or time.monotonic() > deadline:
            return arrived
        time.sleep(0.05)


def test_a_trace_that_is_not_sampled_goes_on_so_with_its_state(site: Site, bucket: str) -> None:
    trace_id = uuid.uuid4().hex
    put_object(site, site.scene(bucket), context(trace_id, "00"))

    (got,) = site.storages[bucket].of_trace(trace_id)
    assert got.traceparent[3] == "00"
    assert got.headers["tracestate"] == [STATE_OUT]


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"],
        [f"00-{TRACE}-{PARENT}-01-more"],
        [f"00-{TRACE.upper()}-{PARENT}-01"],
        ["\xff"],
    ],
    ids=["none", "twice", "longer", "upper case", "not ASCII"],
)
def test_a_malformed_context_begins_a_new_trace_and_the_upload_goes_through(
    site: Site, parents: list[str]
) -> None:
    scene = site.scene("listed")
    answered = site.send(
        scene, scene.put(), *(("traceparent", parent) for parent in parents), ("tracestate", "foo=1")
    )

    trace_id = answered.headers["x-amz-request-id"]
    (got,) = site.storages["listed"].of_trace(trace_id)
    assert trace_id != TRACE
    assert got.headers["tracestate"] == []
    assert site.traced.trace(trace_id)["PUT s3.PutObject"].parent_span_id == b""


def test_pages_read_the_context_by_the_same_rules(site: Site) -> None:
    """The reader of the API would drop all of a state that has a key twice."""
    scene = site.scene("listed")
    trace_id = uuid.uuid4().hex
    page = Request("GET", "/admin/login/", headers=(("Host", scene.host), ("Connection", "close")))
    page = page.and_header("traceparent", f"00-{trace_id}-{PARENT}-01")
    page = page.and_header("tracestate", "foo=1,foo=2").and_header("tracestate", "ot=th:8")

    assert exchange(scene.port, page).status == 200

    (root,) = site.traced.trace(trace_id).values()
    assert (root.parent_span_id.hex(), root.trace_state) == (PARENT, "ot=th:8")
