"""The production shape under failures it is made for: a node dies, the database restarts, uploads go on."""

from __future__ import annotations

import http.client
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.production.shape import ADMIN_HOST, Shape, running_shape
from tests.servers.seaweedfs import SeaweedFS

pytestmark = pytest.mark.slow

PART_BYTES = 5 * 1024 * 1024
AT_ONCE = 4


@pytest.fixture(scope="module")
def shape(tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS) -> Iterator[Shape]:
    with running_shape(tmp_path_factory.mktemp("production"), seaweedfs) as running:
        yield running


class HeldBody(io.BytesIO):
    """A body whose second half waits until ``released``, the first time that it is sent."""

    def __init__(self, content: bytes, half_sent: threading.Semaphore, released: threading.Event) -> None:
        super().__init__(content)
        self._half = len(content) // 2
        self._half_sent = half_sent
        self._released = released
        self._is_held = True

    def read(self, size: int | None = -1, /) -> bytes:
        if self._is_held and self.tell() > self._half:
            self._is_held = False
            self._half_sent.release()
            assert self._released.wait(30)
        return super().read(size)


class Uploading:
    """A multipart upload, and what was answered to each request of it."""

    def __init__(self, shape: Shape, key: str) -> None:
        self.key = key
        self.client = shape.client()
        begun = self.client.create_multipart_upload(Bucket="uploads", Key=key)
        self.upload_id: str = begun["UploadId"]
        self.answers = [begun["ResponseMetadata"]]
        self._parts: dict[int, str] = {}

    def put(self, number: int, body: bytes | HeldBody) -> None:
        part = self.client.upload_part(
            Bucket="uploads", Key=self.key, UploadId=self.upload_id, PartNumber=number, Body=body
        )
        self._parts[number] = part["ETag"]
        self.answers.append(part["ResponseMetadata"])

    def complete(self) -> None:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(self._parts.items())]
        completed = self.client.complete_multipart_upload(
            Bucket="uploads", Key=self.key, UploadId=self.upload_id, MultipartUpload={"Parts": parts}
        )
        self.answers.append(completed["ResponseMetadata"])

    @property
    def retries(self) -> int:
        return sum(answer["RetryAttempts"] for answer in self.answers)

    @property
    def trace_ids(self) -> set[str]:
        return {answer["HTTPHeaders"]["x-amz-request-id"] for answer in self.answers}


def test_no_upload_is_lost_when_a_node_dies_and_the_database_restarts(shape: Shape) -> None:
    contents = [os.urandom(PART_BYTES) for _ in range(3 * AT_ONCE)]
    upload = Uploading(shape, "big/object")
    first, second = shape.nodes
    half_sent, released = threading.Semaphore(0), threading.Event()
    with ThreadPoolExecutor(2 * AT_ONCE) as pool:
        list(pool.map(upload.put, range(1, AT_ONCE + 1), contents))
        _until(lambda: _nodes_in(shape, upload) == {first.port, second.port}, "both nodes have told of it")

        held = [HeldBody(each, half_sent, released) for each in contents[AT_ONCE : 2 * AT_ONCE]]
        sending = [pool.submit(upload.put, AT_ONCE + n, body) for n, body in enumerate(held, 1)]
        for _ in held:
            assert half_sent.acquire(timeout=30)
        first.kill()
        shape.postgres.stop()
        released.set()
        rest = enumerate(contents[2 * AT_ONCE :], 2 * AT_ONCE + 1)
        sending += [pool.submit(upload.put, number, content) for number, content in rest]
        time.sleep(0.5)
        shape.postgres.start()
        for each in sending:
            each.result()
    upload.complete()

    assert shape.stored(upload.key) == b"".join(contents)
    assert shape.record(upload.key) == ("STORED", len(contents) * PART_BYTES, len(contents))
    assert upload.retries > 0, "the node died under parts that were half sent"
    assert len(upload.trace_ids) == 1
    lines = [line for line in shape.front.lines() if line["method"] == "PUT"]
    assert {line["node"] for line in lines} >= {f"127.0.0.1:{node.port}" for node in shape.nodes}
    assert "503" in {str(line["status"]) for line in lines}


def _nodes_in(shape: Shape, upload: Uploading) -> set[int]:
    (trace_id,) = upload.trace_ids
    pids = shape.pids_of_trace(trace_id)
    return {node.port for node in shape.nodes if pids.intersection(node.worker_pids)}


def _until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def test_pages_are_at_their_own_host_over_https_only(shape: Shape) -> None:
    login = _asked(shape, "/admin/login/", ADMIN_HOST)
    assert login.status == 200
    assert login.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert "secure" in login.headers["set-cookie"].lower()
    assert _asked(shape, "/admin/login/", "s3.example.org").status == 404
    assert _asked(shape, "/readyz", "s3.example.org").status == 404
    plain = http.client.HTTPConnection("127.0.0.1", shape.front.plain_port, timeout=10)
    plain.request("GET", "/admin/?a=b", headers={"Host": ADMIN_HOST})
    redirected = plain.getresponse()
    plain.close()
    assert (redirected.status, redirected.headers["location"]) == (308, f"https://{ADMIN_HOST}/admin/?a=b")


def _asked(shape: Shape, path: str, host: str) -> http.client.HTTPResponse:
    with shape.front.connected() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
    return answer
