"""PostgreSQL as the database: of one gateway, and of two that are one to their clients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gateway import read_upstream
from tests.endurance.node import Node, Upstream, running_node
from tests.endurance.retrying import client_of
from tests.endurance.sending import RawClient
from tests.servers.postgres import Postgres
from tests.servers.seaweedfs import SeaweedFS

pytestmark = pytest.mark.slow

BUCKETS = ("files", "seaweed")
PART = os.urandom(5 * 1024 * 1024)
LAST_PART = os.urandom(1000)


@pytest.fixture(scope="module")
def nodes(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, seaweedfs: SeaweedFS
) -> Iterator[tuple[Node, Node]]:
    """Two gateways with the same keys, database and upstream."""
    upstream = Upstream(
        seaweedfs.endpoint,
        seaweedfs.create_bucket("postgres"),
        seaweedfs.access_key,
        seaweedfs.secret_key,
        seaweedfs.region,
    )
    folder: Path = tmp_path_factory.mktemp("postgres")
    first = Node(folder / "first", upstream, database_url=postgres.create_database())
    second = Node(
        folder / "second",
        upstream,
        database_url=first.database_url,
        secret_key=first.secret_key,
        secret_access_key=first.secret_access_key,
    )
    with running_node(first), running_node(second):
        yield first, second


@pytest.fixture
def node(nodes: tuple[Node, Node]) -> Node:
    return nodes[0]


def state_of(node: Node, key: str) -> list[tuple[str, str]]:
    return [(record.bucket, record.state) for record in node.records() if record.key == key]


def part_query(number: int, upload_id: str) -> dict[str, str]:
    return {"partNumber": str(number), "uploadId": upload_id}


def put_part(client: RawClient, path: str, upload_id: str, number: int, content: bytes) -> str:
    answer = client.put(path, [content], len(content), query=part_query(number, upload_id))
    assert answer.status == 200, answer
    return answer.etag


@pytest.mark.parametrize("bucket", BUCKETS)
def test_an_object_and_its_receipt(node: Node, bucket: str) -> None:
    client = client_of(node)
    stored = client.put(f"/{bucket}/one", [b"hello"], 5)
    assert stored.status == 200, stored
    receipt = client.call("HEAD", f"/{bucket}/one")
    assert (receipt.status, receipt.etag, receipt.headers["content-length"]) == (200, stored.etag, "5")
    assert (bucket, "STORED") in state_of(node, "one")


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_multipart_upload_from_its_list_to_its_completion(node: Node, bucket: str) -> None:
    client = client_of(node)
    path = f"/{bucket}/parts"
    upload_id = client.create_multipart(path)
    listed = client.call("GET", f"/{bucket}", query={"uploads": ""})
    assert listed.tag("UploadId") == upload_id
    etags = [put_part(client, path, upload_id, n, c) for n, c in ((1, PART), (2, LAST_PART))]
    parts = client.call("GET", path, query={"uploadId": upload_id}).body.decode()
    assert parts.count("<Part>") == 2
    completed = client.complete(path, upload_id, etags)
    assert completed.status == 200, completed
    assert client.complete(path, upload_id, etags).tag("ETag") == completed.tag("ETag"), "repeatable"
    assert "<Upload>" not in client.call("GET", f"/{bucket}", query={"uploads": ""}).body.decode()
    assert client.call("HEAD", path).headers["content-length"] == str(len(PART) + len(LAST_PART))


def test_a_worker_that_is_killed(node: Node) -> None:
    client = client_of(node)
    sendings = [client.begin("PUT", f"/{bucket}/cut", length=1000) for bucket in BUCKETS]
    for sending in sendings:
        sending.send(bytes(999))
    node.wait(lambda: len(state_of(node, "cut")) == 2, "recorded")
    workers = node.workers()
    for pid in workers:
        node.kill_worker(pid)
    for pid in workers:
        node.wait_until_replaced(pid, 2)
    for sending in sendings:
        sending.close()
    cut = [(r.state, r.error_code) for r in node.records() if r.key == "cut"]
    assert cut == [("FAILED", "WorkerDied")] * 2
    for bucket in BUCKETS:
        assert client.call("HEAD", f"/{bucket}/cut").status == 404
        assert client.put(f"/{bucket}/cut", [bytes(1000)], 1000).status == 200


@pytest.mark.parametrize("last", [0, 1], ids=["completed on the first", "completed on the second"])
def test_the_parts_of_one_upload_come_through_two_nodes(
    nodes: tuple[Node, Node], seaweedfs: SeaweedFS, last: int
) -> None:
    first, second = (client_of(node) for node in nodes)
    path = f"/seaweed/spread-{last}"
    upload_id = first.create_multipart(path)
    assert second.call("GET", "/seaweed", query={"uploads": ""}).tag("UploadId") == upload_id
    etags = [
        put_part(second, path, upload_id, 1, PART),
        put_part(first, path, upload_id, 2, PART),
        put_part(second, path, upload_id, 3, LAST_PART),
    ]
    completed = (first, second)[last].complete(path, upload_id, etags)
    assert completed.status == 200, completed
    upstream = nodes[0].upstream
    assert upstream is not None
    assert read_upstream(seaweedfs, upstream.bucket, f"spread-{last}") == PART + PART + LAST_PART
    for client in (first, second):
        assert client.complete(path, upload_id, etags).tag("ETag") == completed.tag("ETag")
        assert client.call("HEAD", path).etag.strip('"') == completed.tag("ETag").replace("&quot;", "")
    assert state_of(nodes[1], f"spread-{last}") == [("seaweed", "STORED")]


def test_a_node_that_starts_leaves_the_uploads_of_the_other_one_alone(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    with client_of(first).begin("PUT", "/files/alive", length=4) as sending:
        sending.send(b"abc")
        first.wait(lambda: state_of(first, "alive") == [("files", "RECEIVING")], "recorded")
        code, _ = second.stop()
        assert code == 0
        second.start()
        assert state_of(first, "alive") == [("files", "RECEIVING")]
        sending.send(b"d")
        assert sending.answer().status == 200
    assert state_of(second, "alive") == [("files", "STORED")]
