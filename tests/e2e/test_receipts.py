"""What clients ask before and after an upload: receipts of objects, and buckets that are there or not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest

from tests.e2e.gateway import FILES, LIMITED, SEAWEED, Gateway
from tests.e2e.wire.scene import BODY, Scene, crc32_of, sha256_of
from tests.e2e.wire.signing import UNSIGNED


@pytest.fixture(params=[FILES, SEAWEED])
def scene(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[Scene]:
    scene = Scene(gateway, request.param)
    yield scene
    scene.clear()


def test_a_receipt_says_what_was_stored(scene: Scene) -> None:
    headers = {"Content-Type": "text/x-receipt", "x-amz-checksum-crc32": crc32_of(BODY)}
    put = scene.send(scene.owner.sign(scene.put(headers=headers)))
    assert put.status == 200

    head = scene.call("HEAD")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(BODY))
    assert head.headers["content-type"] == "text/x-receipt"
    assert head.headers["etag"] == put.headers["etag"]
    assert head.headers["x-amz-checksum-crc32"] == put.headers["x-amz-checksum-crc32"] == crc32_of(BODY)
    assert parsedate_to_datetime(head.headers["last-modified"])


def test_a_receipt_is_of_the_newest_upload(scene: Scene) -> None:
    scene.stored(b"older and longer than the newer one")
    newer = scene.stored(b"newer")

    head = scene.call("HEAD")

    assert (head.headers["content-length"], head.headers["etag"]) == ("5", newer)


def test_a_failed_upload_changes_no_receipt(scene: Scene) -> None:
    etag = scene.stored()
    wrong = scene.owner.sign(scene.put(b"never", {"x-amz-checksum-sha256": sha256_of(b"other")}))
    assert scene.send(wrong).code == "BadDigest"

    assert scene.call("HEAD").headers["etag"] == etag


def test_a_receipt_is_for_its_principal_only(scene: Scene) -> None:
    scene.stored()

    head = scene.send(scene.neighbour.sign(scene.request("HEAD")))

    assert (head.status, head.body) == (404, b"")
    assert "etag" not in head.headers


def test_an_object_of_the_storage_is_no_receipt(gateway: Gateway) -> None:
    """Whether a key exists that was not uploaded through the gateway is nobody's business."""
    scene = Scene(gateway, FILES)
    path = gateway.objects / FILES / scene.key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"laid there by hand")

    assert scene.call("HEAD").status == 404


def test_a_receipt_of_the_only_version(gateway: Gateway) -> None:
    scene = Scene(gateway, FILES)
    scene.stored()

    assert scene.call("HEAD", "versionId=null").status == 200
    assert scene.call("HEAD", "versionId=3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY").status == 404


@pytest.mark.parametrize(
    ("path", "by_neighbour", "status"),
    [
        (f"/{FILES}", False, 200),
        (f"/{FILES}/", False, 200),
        (f"/{LIMITED}", True, 403),
        ("/nosuchbucket", False, 404),
        ("/nosuchbucket", True, 403),
    ],
    ids=["own", "own-with-slash", "denied", "unknown", "denied-and-unknown"],
)
def test_head_bucket(path: str, by_neighbour: bool, status: int, gateway: Gateway) -> None:
    scene = Scene(gateway, FILES)
    caller = scene.neighbour if by_neighbour else scene.owner

    answer = scene.send(caller.sign(scene.request("HEAD", path)))

    assert (answer.status, answer.body) == (status, b"")


def test_the_location_is_the_default_one(scene: Scene) -> None:
    answer = scene.call("GET", "location=", path=f"/{scene.bucket}")

    assert answer.status == 200
    assert answer.texts("LocationConstraint") == [""]


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}], ids=["plain", "conditional"])
def test_a_key_is_written_at_the_same_time_by_many(scene: Scene, headers: dict[str, str]) -> None:
    """Every plain write succeeds; of conditional ones exactly one does, and its bytes are there."""
    bodies = [f"writer {number}".encode() * 1000 for number in range(8)]
    requests = [scene.owner.sign(scene.put(body, headers)) for body in bodies]

    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = [*pool.map(scene.send, requests)]

    won = [body for body, answer in zip(bodies, answers, strict=True) if answer.status == 200]
    assert len(won) == (1 if headers else len(bodies)), [answer.status for answer in answers]
    assert {answer.status for answer in answers} <= {200, 409, 412}
    assert scene.read() in won


def test_match_replaces_only_what_was_meant(gateway: Gateway) -> None:
    scene = Scene(gateway, FILES)
    first = scene.stored(b"first")

    assert scene.send(scene.owner.sign(scene.put(b"second", {"If-Match": first}))).status == 200
    assert scene.send(scene.owner.sign(scene.put(b"third", {"If-Match": first}))).code == "PreconditionFailed"
    assert scene.read() == b"second"


@pytest.fixture
def addressed(gateway: Gateway) -> Scene:
    scene = Scene(gateway, FILES)
    scene.key = f"address es/{scene.key}-ä+&=%"
    return scene


def test_a_bucket_in_the_host(addressed: Scene) -> None:
    """Virtual-hosted style: the path is the key."""
    scene = addressed
    request = scene.put().with_path(scene.path.removeprefix(f"/{FILES}"))
    request = request.with_headers({"Host": f"{FILES}.s3.gateway.test"})

    assert scene.send(scene.owner.sign(request)).status == 200
    assert scene.read() == BODY


def test_a_bucket_in_the_host_is_held_to_the_same_rules(gateway: Gateway) -> None:
    scene = Scene(gateway, LIMITED)
    request = scene.put().with_path("/key").with_headers({"Host": f"{LIMITED}.s3.gateway.test"})

    assert scene.send(scene.neighbour.sign(request)).code == "AccessDenied"
    assert scene.send(scene.owner.sign(request)).code == "InvalidArgument"


@pytest.mark.parametrize(
    ("source", "status"), [("127.0.0.7", 200), ("127.0.0.1", 403)], ids=["trusted", "anybody"]
)
def test_a_forwarded_host_counts_from_a_trusted_proxy_only(
    source: str, status: int, addressed: Scene
) -> None:
    """The client signed the host it knows; the proxy put another one in its place."""
    scene = addressed
    signed = scene.owner.sign(scene.put().with_headers({"Host": "uploads.example.org"}))
    proxied = signed.with_headers({"Host": scene.host, "X-Forwarded-Host": "uploads.example.org"})

    answer = scene.send(proxied, source)

    assert answer.status == status
    assert (scene.records() != []) == (status == 200)


@pytest.mark.parametrize("size", [0, 1, 300_000], ids=["empty", "one-byte", "300-kb"])
def test_a_body_without_a_length(scene: Scene, size: int) -> None:
    """Plain chunked transfer-encoding, as curl and Java send what they do not know the length of."""
    body = b"u" * size
    signed = scene.owner.sign(scene.put(headers={"x-amz-content-sha256": UNSIGNED}))
    framed = (b"%x\r\n%b\r\n" % (size, body) if size else b"") + b"0\r\n\r\n"
    request = signed.with_body(framed).without_headers("content-length")

    answer = scene.send(request.and_header("Transfer-Encoding", "chunked"))

    assert answer.status == 200, answer
    assert scene.read() == body
