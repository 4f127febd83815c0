"""Workers and whole gateways that are killed in the middle of uploads."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.e2e.gateway import read_upstream
from tests.endurance.node import Node, Record, Upstream, running_node
from tests.endurance.retrying import Upload, Watch, client_of, complete, files_there, put, put_in_parts
from tests.endurance.sending import RawClient
from tests.servers.seaweedfs import SeaweedFS

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
BUCKETS = ("files", "seaweed")
PART_BYTES = 5 * MIB
ROUNDS = 6
ROUNDS_OF_ALL = 4  # with a start of the gateway each
UPLOAD_SECONDS = 0.5


@pytest.fixture
def upstream(seaweedfs: SeaweedFS) -> Upstream:
    bucket = seaweedfs.create_bucket("crash")
    return Upstream(seaweedfs.endpoint, bucket, seaweedfs.access_key, seaweedfs.secret_key, seaweedfs.region)


@pytest.fixture
def node(tmp_path: Path, upstream: Upstream) -> Iterator[Node]:
    """New for each test: a worker is replaced the later the more often it died."""
    with running_node(Node(tmp_path, upstream)) as running:
        yield running


def new_uploads(name: str) -> list[Upload]:
    """For each bucket two simple ones and one of two parts."""
    return [
        Upload(bucket, f"{name}-{kind}", os.urandom(size))
        for bucket in BUCKETS
        for kind, size in (("put-1", 2 * MIB), ("put-2", 2 * MIB), ("parts", PART_BYTES + MIB))
    ]


def upload_all(node: Node, uploads: Sequence[Upload], pool: ThreadPoolExecutor) -> list[object]:
    client = client_of(node)

    def run(upload: Upload) -> None:
        if upload.key.endswith("parts"):
            put_in_parts(client, upload, seconds=UPLOAD_SECONDS, part_bytes=PART_BYTES)
        else:
            put(client, upload, seconds=UPLOAD_SECONDS)

    return [pool.submit(run, upload) for upload in uploads]


def content_at_backend(node: Node, seaweedfs: SeaweedFS, upload: Upload) -> bytes:
    if upload.bucket == "files":
        return (node.objects / upload.key).read_bytes()
    assert node.upstream is not None
    return read_upstream(seaweedfs, node.upstream.bucket, upload.key)


def upstream_sizes(seaweedfs: SeaweedFS, bucket: str) -> Mapping[str, int]:
    listed = seaweedfs.client.list_objects_v2(Bucket=bucket)
    return {item["Key"]: item["Size"] for item in listed.get("Contents", [])}


class Watched:
    """Both backends of a node watched for half objects."""

    def __init__(self, node: Node, seaweedfs: SeaweedFS) -> None:
        self._whole: dict[str, dict[str, int]] = {"files": {}, "seaweed": {}}
        assert node.upstream is not None
        bucket = node.upstream.bucket
        # Objects of other tests are there already, and whole.
        self._whole["files"].update(files_there(node)())
        self._whole["seaweed"].update(upstream_sizes(seaweedfs, bucket))
        self._watches = [
            Watch(files_there(node), self._whole["files"]),
            Watch(lambda: upstream_sizes(seaweedfs, bucket), self._whole["seaweed"]),
        ]

    def expect(self, uploads: Sequence[Upload]) -> None:
        for upload in uploads:
            self._whole[upload.bucket][upload.key] = len(upload.content)

    def __enter__(self) -> Watched:
        self._stack = ExitStack()
        for watch in self._watches:
            self._stack.enter_context(watch)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def assert_never_half(self) -> None:
        for watch in self._watches:
            assert watch.looks > 20
            assert watch.half == []


def assert_all_stored(node: Node, seaweedfs: SeaweedFS, uploads: Sequence[Upload]) -> None:
    """Whole at the backend, stored in the last record; every attempt before it failed by a death."""
    records = node.records()
    for upload in uploads:
        assert content_at_backend(node, seaweedfs, upload) == upload.content
        mine = [r for r in records if (r.bucket, r.key) == (upload.bucket, upload.key)]
        assert (mine[-1].state, mine[-1].size) == ("STORED", len(upload.content))
        died = [record for record in mine if record.state == "FAILED"]
        assert {record.error_code for record in died} <= {"WorkerDied"}
        assert len(died) <= upload.attempts_lost
    assert {record.state for record in records} <= {"STORED", "FAILED", "RECEIVING"}
    assert left_receiving(records) == []


def left_receiving(records: Sequence[Record]) -> list[Record]:
    """Records that nobody will finish. A CreateMultipartUpload without an answer leaves one, as with S3;
    it expires."""
    return [r for r in records if r.state == "RECEIVING" and r.method != "multipart"]


def assert_undisturbed(records: Sequence[Record], uploads: Sequence[Upload], killed: int) -> int:
    """Simple uploads of the other worker lost nothing; returns how many there were."""
    first = {(r.bucket, r.key): r for r in reversed(records) if r.method == "simple"}
    others = [u for u in uploads if (r := first.get((u.bucket, u.key))) and r.worker != killed]
    assert [u for u in others if first[u.bucket, u.key].state != "STORED"] == []
    return len(others)


def test_workers_killed_in_mid_upload(node: Node, seaweedfs: SeaweedFS) -> None:
    chance = random.Random(os.urandom(8))
    deaths, undisturbed, everything = 0, 0, []
    with Watched(node, seaweedfs) as watched, ThreadPoolExecutor(8) as pool:
        for number in range(ROUNDS):
            uploads = new_uploads(f"round-{number}")
            watched.expect(uploads)
            everything += uploads
            running = upload_all(node, uploads, pool)
            killed = sorted(node.workers())[number % 2]
            time.sleep(chance.uniform(0, 1.2 * UPLOAD_SECONDS))
            node.kill_worker(killed)
            for one in running:
                one.result()
            node.wait_until_replaced(killed, 2)
            undisturbed += assert_undisturbed(node.records(), uploads, killed)
            deaths += sum(upload.attempts_lost > 0 for upload in uploads)
    watched.assert_never_half()
    assert_all_stored(node, seaweedfs, everything)
    assert deaths >= ROUNDS / 2, "the kills came too early or too late to prove anything"
    assert undisturbed >= ROUNDS / 2
    assert Counter(r.error_code for r in node.records() if r.state == "FAILED")["WorkerDied"] > 0
    assert list(node.scratch.iterdir()) == []


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_completion_that_nobody_lived_to_write_down(node: Node, seaweedfs: SeaweedFS, bucket: str) -> None:
    """The object is there, the upload is gone at the backend, the record still says RECEIVING."""
    client = client_of(node)
    path = f"/{bucket}/unwritten"
    upload_id = client.create_multipart(path)
    query = {"partNumber": "1", "uploadId": upload_id}
    etags = [client.put(path, [b"content"], 7, query=query).etag]
    completed = client.complete(path, upload_id, etags)
    assert completed.status == 200
    with closing(sqlite3.connect(node.folder / "gateway.sqlite3", timeout=20)) as database, database:
        database.execute(
            "UPDATE uploads_uploadrecord SET state = 'RECEIVING', etag = '' WHERE key = 'unwritten'"
            " AND bucket = ?",
            (bucket,),
        )
    other = client.complete(path, upload_id, ['"0123456789abcdef0123456789abcdef"'])
    assert (other.status, other.tag("Code")) == (404, "NoSuchUpload")
    again = client.complete(path, upload_id, etags)
    assert (again.status, again.tag("ETag")) == (200, completed.tag("ETag"))
    (record,) = (r for r in node.records() if (r.bucket, r.key) == (bucket, "unwritten"))
    assert (record.state, record.size) == ("STORED", 7)


def test_workers_killed_in_mid_completion(node: Node, seaweedfs: SeaweedFS) -> None:
    """Each completion is repeated until it is answered: the object is whole, whoever made it."""
    chance = random.Random(os.urandom(8))
    client = client_of(node)
    everything = []
    with Watched(node, seaweedfs) as watched, ThreadPoolExecutor(8) as pool:
        for number in range(ROUNDS):
            uploads = [
                Upload(bucket, f"completion-{number}-{nth}", os.urandom(PART_BYTES + 1000))
                for bucket in BUCKETS
                for nth in range(2)
            ]
            watched.expect(uploads)
            everything += uploads
            sent = [(upload, *send_parts(client, upload)) for upload in uploads]
            running = [pool.submit(complete, client, *one) for one in sent]
            killed = sorted(node.workers())[number % 2]
            time.sleep(chance.uniform(0.0, 0.04))
            node.kill_worker(killed)
            for one in running:
                one.result()
            node.wait_until_replaced(killed, 2)
    watched.assert_never_half()
    assert_all_stored(node, seaweedfs, everything)
    assert sum(upload.attempts_lost for upload in everything) >= ROUNDS / 2
    assert list(node.scratch.iterdir()) == []


def send_parts(client: RawClient, upload: Upload) -> tuple[str, list[str]]:
    """Two parts; the upload's id and their ETags."""
    upload_id = client.create_multipart(upload.path)
    etags = []
    for number, content in ((1, upload.content[:PART_BYTES]), (2, upload.content[PART_BYTES:])):
        query = {"partNumber": str(number), "uploadId": upload_id}
        etags.append(client.put(upload.path, [content], len(content), query=query).etag)
    return upload_id, etags


def test_a_gateway_killed_as_a_whole(node: Node, seaweedfs: SeaweedFS) -> None:
    chance = random.Random(os.urandom(8))
    everything = []
    with Watched(node, seaweedfs) as watched, ThreadPoolExecutor(8) as pool:
        for number in range(ROUNDS_OF_ALL):
            uploads = new_uploads(f"whole-{number}")
            watched.expect(uploads)
            everything += uploads
            running = upload_all(node, uploads, pool)
            time.sleep(chance.uniform(0, 1.2 * UPLOAD_SECONDS))
            node.kill()
            node.start()
            for one in running:
                one.result()
    watched.assert_never_half()
    assert_all_stored(node, seaweedfs, everything)
    assert sum(upload.attempts_lost for upload in everything) >= ROUNDS_OF_ALL
    node.wait(lambda: list(node.scratch.iterdir()) == [], "swept")


def test_temporary_files_and_records_of_a_dead_worker_go_when_the_next_one_starts(
    tmp_path: Path, upstream: Upstream
) -> None:
    with running_node(Node(tmp_path, upstream, server={"workers": 1})) as node:
        client = client_of(node)
        sendings = [client.begin("PUT", f"/{bucket}/cut", length=MIB) for bucket in BUCKETS]
        for sending in sendings:
            sending.send(bytes(MIB - 1))
        node.wait(lambda: len(node.records()) == 2, "recorded")
        node.wait(lambda: node.scratch.exists() and len(list(node.scratch.iterdir())) == 1, "written")
        assert {record.state for record in node.records()} == {"RECEIVING"}
        (worker,) = node.workers()
        os.kill(worker, signal.SIGKILL)
        node.wait_until_replaced(worker, 1)
        assert list(node.scratch.iterdir()) == []
        assert [(r.state, r.error_code, r.worker) for r in node.records()] == [
            ("FAILED", "WorkerDied", worker)
        ] * 2
        for sending in sendings:
            sending.close()
