"""Which traces are kept, on the running gateway with two workers, as a real OTLP receiver gets them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.gateway import FILES, MANAGE, Gateway, running_gateway
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.seaweedfs import SeaweedFS

MARKED = "bytes = 5242887"
MARKED_BYTES = 5_242_887


class Sampled:
    def __init__(self, gateway: Gateway, receiver: OtlpReceiver, folder: Path) -> None:
        self.gateway = gateway
        self.receiver = receiver
        self.folder = folder
        self.client = boto3.client(
            "s3",
            endpoint_url=gateway.endpoint,
            aws_access_key_id=gateway.access_key_id,
            aws_secret_access_key=gateway.secret_access_key,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32),
        )

    def spans(self, trace_id: str) -> list[Span]:
        return [span for span in self.receiver.spans() if span.trace_id.hex() == trace_id]

    def roots(self, trace_id: str) -> list[Span]:
        return [span for span in self.spans(trace_id) if span.kind == Span.SPAN_KIND_SERVER]

    def change_settings(self, program: str) -> None:
        """What the admin will do; the settings are those of the gateway."""
        subprocess.run(
            [
                sys.executable,
                MANAGE,
                "shell",
                "-v",
                "0",
                "-c",
                f"from tracing_app.live.revisions import *\n{program}",
            ],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
                "MIZUCHI_CONFIG": str(self.folder / "config.yaml"),
                "MIZUCHI_VAR": str(self.folder / "var"),
            },
            check=True,
            capture_output=True,
        )

    def put(self, key: str) -> str:
        answer = self.client.put_object(Bucket=FILES, Key=key, Body=b"x")
        trace_id: str = answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"]
        return trace_id


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[Sampled]:
    folder = tmp_path_factory.mktemp("sampled")
    with otlp_receiver("http/protobuf") as receiver:
        tracing = {
            "otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"},
            "batch": {"scheduled_delay_millis": 100},
            "sampling": {
                "strategy": "never",
                "slow_request_ms": None,
                "rules": [{"name": "marked", "when": MARKED, "keep": "always"}],
            },
        }
        with running_gateway(folder, seaweedfs, {"tracing": tracing}) as gateway:
            yield Sampled(gateway, receiver, folder)


def until(is_so: Callable[[], bool], what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not {what} after {seconds} s"
        time.sleep(0.05)


def upload(sampled: Sampled, key: str, sizes: list[int]) -> str:
    """A multipart upload whose parts are sent at once, so to both workers. Returns its trace id."""
    client = sampled.client
    begun = client.create_multipart_upload(Bucket=FILES, Key=key)
    names = {"Bucket": FILES, "Key": key, "UploadId": begun["UploadId"]}

    def send(number: int) -> dict[str, Any]:
        body = bytes(sizes[number - 1])
        return {
            "PartNumber": number,
            "ETag": client.upload_part(**names, PartNumber=number, Body=body)["ETag"],
        }

    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(send, range(1, len(sizes) + 1)))
    client.complete_multipart_upload(**names, MultipartUpload={"Parts": parts})
    trace_id: str = begun["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"]
    return trace_id


def test_one_part_brings_the_whole_upload_over_all_workers(sampled: Sampled) -> None:
    sizes = [5 << 20] * 12
    sizes[6] = MARKED_BYTES
    other = upload(sampled, "dropped", [5 << 20] * 3)

    kept = upload(sampled, "kept", sizes)

    until(lambda: len(sampled.roots(kept)) == 14, "all requests of the upload are at the receiver")
    reasons: dict[str, int] = {}
    for root in sampled.roots(kept):
        (reason,) = (
            pair.value.string_value for pair in root.attributes if pair.key == "mizuchi.sampling.reason"
        )
        reasons[reason] = reasons.get(reason, 0) + 1
    assert reasons == {"rule": 1, "upload": 13}
    assert len({root.span_id for root in sampled.roots(kept)}) == 14
    for root in sampled.roots(kept):
        assert any(span.parent_span_id == root.span_id for span in sampled.spans(kept)), (
            "whole, not roots only"
        )
    assert sampled.roots(other) == []


@pytest.fixture
def settings_of_the_file(sampled: Sampled) -> Iterator[None]:
    """In force again when the test is over."""
    yield
    sampled.change_settings("save_overrides({}, by='tests')")
    time.sleep(5)


@pytest.mark.usefixtures("settings_of_the_file")
def test_settings_change_within_five_seconds(sampled: Sampled) -> None:
    before = sampled.put("before")

    sampled.change_settings("save_overrides({'sampling.strategy': 'always'}, by='tests')")
    time.sleep(5)
    kept = [sampled.put(f"kept-{number}") for number in range(20)]
    until(lambda: all(sampled.roots(each) for each in kept), "all are kept by both workers")
    assert sampled.roots(before) == []

    sampled.change_settings("undo(by='tests')")
    time.sleep(5)
    dropped = [sampled.put(f"dropped-{number}") for number in range(20)]
    sampled.change_settings("save_overrides({'enabled': False}, by='tests')")
    time.sleep(5)
    silent = sampled.put("silent")
    assert all(sampled.roots(each) == [] for each in [*dropped, silent])
    assert len(silent) == 32
