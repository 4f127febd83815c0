"""Traces of real uploads, as a real OTLP receiver gets them from the running gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.e2e.gateway import FILES, SEAWEED, running_gateway
from tests.e2e.traced import Traced, attributes, request_id
from tests.servers.otlp_receiver import otlp_receiver
from tests.servers.seaweedfs import SeaweedFS
from tracing_app.redaction import upload_hash

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CANARY = "cana-ry-7141"
KEY = f"{CANARY}@example.org/{CANARY}.txt"


@pytest.fixture(scope="module", params=["grpc", "http/protobuf"])
def traced(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS
) -> Iterator[Traced]:
    with otlp_receiver(request.param) as receiver:
        tracing = {
            "otlp": {"endpoint": f"http://127.0.0.1:{receiver.port}", "protocol": request.param},
            "batch": {"scheduled_delay_millis": 100},
        }
        folder = tmp_path_factory.mktemp("traced")
        with running_gateway(folder, seaweedfs, {"tracing": tracing}) as gateway:
            yield Traced(gateway, receiver)


@pytest.mark.parametrize(
    ("bucket", "write"), [(FILES, "file.write"), (SEAWEED, "S3.PutObject")], ids=["files", "seaweed"]
)
def test_one_put_object_is_one_tree(traced: Traced, bucket: str, write: str) -> None:
    trace_id = request_id(traced.client().put_object(Bucket=bucket, Key=KEY, Body=b"x" * 1000))

    spans = traced.trace(trace_id)

    root = spans["PUT s3.PutObject"]
    upload = spans["upload.put_object"]
    assert root.parent_span_id == b""
    assert root.kind == Span.SPAN_KIND_SERVER
    assert root.status.code == Status.STATUS_CODE_UNSET
    for name in ("auth.sigv4", "upload.put_object"):
        assert spans[name].parent_span_id == root.span_id
    assert spans[write].parent_span_id == upload.span_id
    assert attributes(upload)["mizuchi.upload.bytes"] == 1000
    was_copied = "mizuchi.upload.copied_by" in attributes(upload)
    assert attributes(upload)["mizuchi.upload.zero_copy"] is not was_copied
    assert attributes(upload)["mizuchi.upload.backend_wait_ms"] > 0
    assert [event.name for event in upload.events] == [
        "body.first_byte",
        "body.received",
        "body.verified",
        "object.committed",
    ]
    assert attributes(root)["http.response.status_code"] == 200
    assert attributes(root)["http.route"] == "/{bucket}/{key}"


def test_a_trace_that_comes_in_goes_on(traced: Traced) -> None:
    client = traced.client()
    traceparent = f"00-{TRACE}-{PARENT}-01"

    def add_context(request: Any, **kwargs: Any) -> None:
        request.headers["traceparent"] = traceparent

    client.meta.events.register("before-send.s3", add_context)

    answer = client.put_object(Bucket=FILES, Key="goes-on", Body=b"x")

    assert request_id(answer) == TRACE
    assert traced.trace(TRACE)["PUT s3.PutObject"].parent_span_id.hex() == PARENT
    assert answer["ResponseMetadata"]["HTTPHeaders"]["traceresponse"].startswith(f"00-{TRACE}-")


@pytest.mark.parametrize("bucket", [FILES, SEAWEED])
def test_a_multipart_upload_is_one_trace_over_its_requests(traced: Traced, bucket: str) -> None:
    client, key = traced.client(), f"parts-{bucket}"
    begun = client.create_multipart_upload(Bucket=bucket, Key=key)
    upload = {"Bucket": bucket, "Key": key, "UploadId": begun["UploadId"]}
    parts = [
        {"PartNumber": n, "ETag": client.upload_part(**upload, PartNumber=n, Body=body)["ETag"]}
        for n, body in enumerate([bytes(5 << 20), b"the last"], start=1)
    ]
    done = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})

    trace_id = request_id(begun)
    assert request_id(done) == trace_id
    names = traced.names(trace_id, until="POST s3.CompleteMultipartUpload")
    assert names.count("PUT s3.UploadPart") == 2
    assert names.count("upload.part") == 2
    spans = traced.trace(trace_id)
    root = spans["POST s3.CreateMultipartUpload"]
    assert root.parent_span_id == b""
    for name in ("PUT s3.UploadPart", "POST s3.CompleteMultipartUpload"):
        assert spans[name].parent_span_id == root.span_id
    assert [event.name for event in spans["upload.complete_multipart"].events] == ["object.committed"]
    for name in ("upload.create_multipart", "upload.part", "upload.complete_multipart"):
        assert attributes(spans[name])["aws.s3.upload_id"] == upload_hash(begun["UploadId"])


def test_a_part_with_a_trace_of_its_own_is_linked_to_the_upload(traced: Traced) -> None:
    client = traced.client()
    begun = client.create_multipart_upload(Bucket=FILES, Key="linked")
    own = "11111111111111111111111111111111"

    def add_context(request: Any, **kwargs: Any) -> None:
        request.headers["traceparent"] = f"00-{own}-{PARENT}-01"

    client.meta.events.register("before-send.s3.UploadPart", add_context)
    client.upload_part(Bucket=FILES, Key="linked", UploadId=begun["UploadId"], PartNumber=1, Body=b"x")

    part = traced.trace(own)["PUT s3.UploadPart"]
    assert [link.trace_id.hex() for link in part.links] == [request_id(begun)]


def test_a_refused_request_says_why_and_is_no_error_of_ours(traced: Traced) -> None:
    with pytest.raises(ClientError) as refused:
        traced.client(secret="wrong").put_object(Bucket=FILES, Key=KEY, Body=b"x")

    spans = traced.trace(request_id(refused.value.response))

    assert attributes(spans["auth.sigv4"])["mizuchi.auth.reason"] == "SignatureDoesNotMatch"
    assert attributes(spans["PUT s3.PutObject"])["http.response.status_code"] == 403
    assert attributes(spans["PUT s3.PutObject"])["error.type"] == "SignatureDoesNotMatch"
    assert attributes(spans["PUT s3.PutObject"])["user_agent.name"] == "Boto3"
    assert spans["PUT s3.PutObject"].status.code == Status.STATUS_CODE_UNSET
    assert "upload.put_object" not in spans


def test_a_wrong_digest_is_told_on_the_upload(traced: Traced) -> None:
    with pytest.raises(ClientError) as refused:
        traced.client().put_object(Bucket=FILES, Key=KEY, Body=b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")

    spans = traced.trace(request_id(refused.value.response))

    assert attributes(spans["upload.put_object"])["error.type"] == "BadDigest"
    assert "object.committed" not in [event.name for event in spans["upload.put_object"].events]
