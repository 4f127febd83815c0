"""Traces of real uploads as Jaeger shows them: whole trees, every span below its parent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients.aws_cli import CLIENTS
from tests.e2e.clients.boto import connect
from tests.e2e.clients.cases import MIB, content_of_size
from tests.e2e.clients.target import Target
from tests.e2e.gateway import FILES, SEAWEED, Gateway, running_gateway
from tests.e2e.span_tree import node, outline
from tests.e2e.traced import request_id
from tests.servers.jaeger import Jaeger, Span
from tests.servers.seaweedfs import SeaweedFS

AWS_CLI = next(client for client in CLIENTS if client.name == "aws-cli-v2-cp")
CLI_PARTS = 4  # of 30 MiB, which the AWS CLI cuts into 8 MiB each
EVENTS = ("body.first_byte", "body.received", "body.verified", "object.committed")
SHARED_BY_NODES = ("security", "database", "storages", "access_keys", "buckets")


@dataclass(frozen=True, slots=True)
class Watched:
    """A gateway whose traces go to Jaeger, and the whole of its configuration."""

    gateway: Gateway
    jaeger: Jaeger
    config: dict[str, Any]

    def target(self, bucket: str, home: Path, node: Gateway | None = None) -> Target:
        """A bucket at this gateway, or at another node with the same keys."""
        gateway = self.gateway
        endpoint = (node or gateway).endpoint
        return Target(endpoint, gateway.access_key_id, gateway.secret_access_key, bucket, home)


@pytest.fixture(scope="module", params=["grpc", "http/protobuf"])
def watched(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    seaweedfs: SeaweedFS,
    jaeger: Jaeger,
) -> Iterator[Watched]:
    tracing = {
        "otlp": {"endpoint": jaeger.otlp_endpoint(request.param), "protocol": request.param},
        "batch": {"scheduled_delay_millis": 100},
    }
    folder = tmp_path_factory.mktemp("watched")
    sections = {"tracing": tracing, "logging": {"format": "json"}}
    with running_gateway(folder, seaweedfs, sections) as gateway:
        yield Watched(gateway, jaeger, json.loads((folder / "config.yaml").read_text()))


@pytest.fixture(scope="module")
def second_node(
    watched: Watched, tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS
) -> Iterator[Gateway]:
    """Another gateway with the secret keys, database and storages of the first."""
    sections = {name: watched.config[name] for name in (*SHARED_BY_NODES, "tracing")}
    with running_gateway(tmp_path_factory.mktemp("second-node"), seaweedfs, sections) as gateway:
        yield gateway


@dataclass(frozen=True, slots=True)
class Calls:
    """What the calls of a storage are in traces, kind and name, by what they do."""

    bucket: str
    put: str
    create: str
    part: str
    list_parts: str
    complete: str


STORAGES = (
    pytest.param(
        Calls(
            FILES,
            put="INTERNAL file.write",
            create="INTERNAL file.create_multipart",
            part="INTERNAL file.write_part",
            list_parts="INTERNAL file.list_parts",
            complete="INTERNAL file.assemble",
        ),
        id="files",
    ),
    pytest.param(
        Calls(
            SEAWEED,
            put="CLIENT S3.PutObject",
            create="CLIENT S3.CreateMultipartUpload",
            part="CLIENT S3.UploadPart",
            list_parts="CLIENT S3.ListParts",
            complete="CLIENT S3.CompleteMultipartUpload",
        ),
        id="seaweed",
    ),
)


def request_tree(name: str, work: str, *below: str) -> str:
    """What a request that was let in looks like."""
    return node(f"SERVER {name}", "INTERNAL auth.sigv4", work, *below)


def multipart_tree(calls: Calls, parts: int) -> str:
    """One tree: the parts and the completion are children of the request that created the upload."""
    part = request_tree("PUT s3.UploadPart", node("INTERNAL upload.part", calls.part))
    complete = node("INTERNAL upload.complete_multipart", calls.list_parts, calls.complete)
    return request_tree(
        "POST s3.CreateMultipartUpload",
        node("INTERNAL upload.create_multipart", calls.create),
        *[part] * parts,
        request_tree("POST s3.CompleteMultipartUpload", complete),
    )


def arrived(jaeger: Jaeger, trace_id: str, tree: str) -> list[Span]:
    """The spans of a trace, which have to make this tree and nothing that Jaeger has to put right."""
    spans = jaeger.wait_for(trace_id, spans=len(tree.splitlines()))
    assert outline(spans) == tree
    assert {span.service for span in spans} == {"mizuchi-uploadr"}
    # A look at half a trace leaves this warning on spans that Jaeger keeps; the tree is whole by now.
    warnings = [
        warning for span in spans for warning in span.warnings if "is not in the trace" not in warning
    ]
    assert warnings == []
    assert [span.name for span in spans if span.is_error or span.links] == []
    return spans


@pytest.mark.parametrize("calls", STORAGES)
def test_put_object_is_one_tree(watched: Watched, calls: Calls, tmp_path: Path) -> None:
    with connect(watched.target(calls.bucket, tmp_path)) as client:
        answer = client.put_object(Bucket=calls.bucket, Key="folder/of-mine.txt", Body=b"x" * 1000)

    tree = request_tree(
        "PUT s3.PutObject",
        node("INTERNAL upload.put_object", calls.put),
    )
    spans = {span.name: span for span in arrived(watched.jaeger, request_id(answer), tree)}
    assert spans["upload.put_object"].events == EVENTS
    key = spans["PUT s3.PutObject"].attributes["aws.s3.key"]
    assert re.fullmatch("folder/[0-9a-f]{16}", key)
    said = {
        "PUT s3.PutObject": {
            "http.request.method": "PUT",
            "http.route": "/{bucket}/{key}",
            "http.response.status_code": 200,
            "http.request.body.size": 1000,
            "url.path": f"/{calls.bucket}/{key}",
            "url.scheme": "http",
            "server.port": port_of(watched.gateway),
            "rpc.method": "S3/PutObject",
            "aws.s3.bucket": calls.bucket,
            "mizuchi.authz.scope.decision": "allow",
            "mizuchi.authz.scope.reason": "bucket in scope",
        },
        "auth.sigv4": {"mizuchi.auth.method": "sigv4", "mizuchi.auth.outcome": "success"},
        "upload.put_object": {
            "aws.s3.bucket": calls.bucket,
            "mizuchi.upload.bytes": 1000,
            "mizuchi.upload.method": "simple",
        },
    }
    for name, attributes in said.items():
        assert {**spans[name].attributes, **attributes} == spans[name].attributes, name
    waits = {name for name in spans["upload.put_object"].attributes if name.endswith("_wait_ms")}
    assert waits == {f"mizuchi.{wait}_wait_ms" for wait in ("upload.receive", "upload.backend", "record")}
    assert re.fullmatch("[0-9a-f]{16}", spans["auth.sigv4"].attributes["user.hash"])


@pytest.mark.parametrize("calls", STORAGES)
def test_an_upload_of_the_aws_cli_is_one_trace(
    watched: Watched, calls: Calls, tmp_path: Path, file_of_size: Callable[[int], Path]
) -> None:
    AWS_CLI.require()
    logged_before = watched.gateway.log.stat().st_size

    AWS_CLI.upload(watched.target(calls.bucket, tmp_path), "from/the-cli.bin", file_of_size(30 * MIB))

    requests = logged_since(watched.gateway.log, logged_before)
    assert sorted((request["operation"], request["status"]) for request in requests) == [
        ("CompleteMultipartUpload", 200),
        ("CreateMultipartUpload", 200),
        *[("UploadPart", 200)] * CLI_PARTS,
    ]
    (trace_id,) = {request["trace_id"] for request in requests}
    spans = arrived(watched.jaeger, trace_id, multipart_tree(calls, CLI_PARTS))
    parts = [span for span in spans if span.name == "upload.part"]
    numbers = {span.attributes["aws.s3.part_number"] for span in parts}
    assert numbers == {*range(1, CLI_PARTS + 1)}
    assert sum(span.attributes["mizuchi.upload.bytes"] for span in parts) == 30 * MIB
    assert {span.events for span in parts} == {EVENTS}
    (complete,) = (span for span in spans if span.name == "upload.complete_multipart")
    assert complete.attributes["mizuchi.upload.bytes"] == 30 * MIB
    assert len({span.attributes["aws.s3.upload_id"] for span in [*parts, complete]}) == 1


@pytest.mark.parametrize("calls", STORAGES)
def test_an_upload_over_two_nodes_is_one_trace(
    watched: Watched, second_node: Gateway, calls: Calls, tmp_path: Path
) -> None:
    bodies = [content_of_size(5 * MIB), b"the last"]
    with (
        connect(watched.target(calls.bucket, tmp_path)) as first,
        connect(watched.target(calls.bucket, tmp_path, second_node)) as second,
    ):
        begun = first.create_multipart_upload(Bucket=calls.bucket, Key="two-nodes.bin")
        upload = {"Bucket": calls.bucket, "Key": "two-nodes.bin", "UploadId": begun["UploadId"]}
        parts = [
            {"PartNumber": n, "ETag": client.upload_part(**upload, PartNumber=n, Body=body)["ETag"]}
            for n, (client, body) in enumerate(zip((first, second), bodies, strict=True), start=1)
        ]
        done = second.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})

    assert watched.gateway.read(calls.bucket, "two-nodes.bin") == b"".join(bodies)
    assert request_id(done) == request_id(begun)
    spans = arrived(watched.jaeger, request_id(begun), multipart_tree(calls, len(parts)))
    served = sorted((span.name, span.attributes["server.port"]) for span in spans if span.kind == "SERVER")
    here, there = port_of(watched.gateway), port_of(second_node)
    assert served == sorted(
        [
            ("POST s3.CreateMultipartUpload", here),
            ("PUT s3.UploadPart", here),
            ("PUT s3.UploadPart", there),
            ("POST s3.CompleteMultipartUpload", there),
        ]
    )


def logged_since(log: Path, start: int) -> list[dict[str, Any]]:
    """The requests in a gateway's access log behind so many bytes; ``trace_id`` is ``x-amz-request-id``."""
    records = map(json.loads, log.read_bytes()[start:].splitlines())
    return [record for record in records if record["logger"] == "mizuchi.access"]


def port_of(gateway: Gateway) -> int:
    return int(gateway.endpoint.rpartition(":")[2])
