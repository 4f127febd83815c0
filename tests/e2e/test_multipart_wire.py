"""Multipart uploads over the wire: whose they are, how they are listed, and what is said when repeated."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest

from tests.e2e.gateway import FILES, SEAWEED, Gateway
from tests.e2e.wire.client import Answer
from tests.e2e.wire.scene import BODY, PART, Scene, parts_xml


@pytest.fixture(params=[FILES, SEAWEED])
def scene(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[Scene]:
    scene = Scene(gateway, request.param)
    yield scene
    scene.clear()


def complete(scene: Scene, upload_id: str, *parts: tuple[int, str]) -> Answer:
    return scene.call("POST", f"uploadId={upload_id}", parts_xml([*parts]))


def test_parts_become_the_object_and_a_receipt(scene: Scene) -> None:
    upload_id = scene.upload()
    first, last = scene.part(upload_id, 1, PART), scene.part(upload_id, 9, BODY)
    assert scene.call("HEAD").status == 404

    answer = complete(scene, upload_id, (1, first), (9, last))

    assert answer.status == 200
    assert scene.read() == PART + BODY
    head = scene.call("HEAD")
    assert head.headers["etag"] == answer.text("ETag")
    assert head.headers["content-length"] == str(len(PART) + len(BODY))
    assert scene.records() == [("STORED", "")]


def test_completion_repeated_is_answered_the_same(scene: Scene) -> None:
    upload_id = scene.upload()
    etag = scene.part(upload_id, 1)

    answers = [complete(scene, upload_id, (1, etag)) for _ in range(3)]

    assert {answer.status for answer in answers} == {200}
    assert len({answer.text("ETag") for answer in answers}) == 1
    assert complete(scene, upload_id, (1, "0" * 32)).status in (400, 404)
    assert scene.records() == [("STORED", "")]


def test_completions_at_the_same_time_are_answered_the_same(scene: Scene) -> None:
    """As when a client loses patience with a long completion and repeats it while it still runs."""
    upload_id = scene.upload()
    etag = scene.part(upload_id, 1)

    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(lambda _: complete(scene, upload_id, (1, etag)), range(4))]

    assert [answer.status for answer in answers] == [200] * 4
    assert len({answer.text("ETag") for answer in answers}) == 1
    assert scene.read() == BODY
    assert scene.records() == [("STORED", "")]


@pytest.mark.parametrize("end", ["aborted", "completed"])
def test_nothing_can_be_done_to_an_upload_that_is_over(scene: Scene, end: str) -> None:
    upload_id = scene.upload()
    etag = scene.part(upload_id, 1)
    if end == "aborted":
        assert scene.call("DELETE", f"uploadId={upload_id}").status == 204
    else:
        assert complete(scene, upload_id, (1, etag)).status == 200
    before = scene.holdings()

    later = [
        scene.call("PUT", f"partNumber=2&uploadId={upload_id}", BODY),
        scene.call("GET", f"uploadId={upload_id}"),
        scene.call("DELETE", f"uploadId={upload_id}"),
    ]

    assert [answer.code for answer in later] == ["NoSuchUpload"] * 3
    assert scene.holdings() == before
    assert scene.records() == [("ABORTED" if end == "aborted" else "STORED", "")]
    assert scene.call("HEAD").status == (404 if end == "aborted" else 200)


def test_parts_at_the_same_time_are_all_there(scene: Scene) -> None:
    upload_id = scene.upload()
    bodies = {number: bytes([64 + number]) * (len(PART) if number < 4 else 10) for number in range(1, 5)}

    with ThreadPoolExecutor(4) as pool:
        etags = [*pool.map(lambda number: scene.part(upload_id, number, bodies[number]), bodies)]

    assert complete(scene, upload_id, *zip(bodies, etags, strict=True)).status == 200
    assert scene.read() == b"".join(bodies.values())


@pytest.mark.parametrize("attempt", range(4))
def test_a_part_uploaded_again_replaces_the_first(scene: Scene, attempt: int) -> None:
    """Several attempts: SeaweedFS lists both, in an order that changes."""
    upload_id = scene.upload()
    scene.part(upload_id, 1, b"first try")
    second = scene.part(upload_id, 1, b"second try")

    assert complete(scene, upload_id, (1, second)).status == 200
    assert scene.read() == b"second try"


def test_a_part_that_was_replaced_is_gone(gateway: Gateway) -> None:
    scene = Scene(gateway, FILES)
    upload_id = scene.upload()
    first = scene.part(upload_id, 1, b"first try")
    scene.part(upload_id, 1, b"second try")

    assert complete(scene, upload_id, (1, first)).code == "InvalidPart"
    scene.abort_uploads()


def test_parts_left_out_of_the_list_are_left_out_of_the_object(scene: Scene) -> None:
    upload_id = scene.upload()
    scene.part(upload_id, 1, b"left out")
    etag = scene.part(upload_id, 2, b"kept")

    assert complete(scene, upload_id, (2, etag)).status == 200
    assert scene.read() == b"kept"


def test_parts_are_listed_in_pages(scene: Scene) -> None:
    upload_id = scene.upload()
    etags = {number: scene.part(upload_id, number, b"%d" % number) for number in (1, 2, 5, 7, 10_000)}
    found: dict[int, str] = {}
    marker = "0"

    for expected in ("true", "true", "false"):
        page = scene.call("GET", f"uploadId={upload_id}&max-parts=2&part-number-marker={marker}")
        assert (page.status, page.text("IsTruncated"), page.text("MaxParts")) == (200, expected, "2")
        found |= zip(map(int, page.texts("PartNumber")), page.texts("ETag"), strict=True)
        marker = page.text("NextPartNumberMarker")

    assert {number: etag.strip('"') for number, etag in found.items()} == etags


@pytest.mark.parametrize("query", ["max-parts=-1", "max-parts=x", "part-number-marker=x"])
def test_pages_that_cannot_be_are_refused(scene: Scene, query: str) -> None:
    answer = scene.call("GET", f"uploadId={scene.upload()}&{query}")

    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_uploads_are_listed_to_their_owner_only(scene: Scene) -> None:
    mine = scene.upload()
    theirs = scene.send(scene.neighbour.sign(scene.request("POST", query="uploads="))).text("UploadId")
    query = f"uploads=&prefix={scene.key}"

    own = scene.call("GET", query, path=f"/{scene.bucket}")
    others = scene.send(scene.neighbour.sign(scene.request("GET", f"/{scene.bucket}", query)))

    assert own.texts("UploadId") == [mine]
    assert others.texts("UploadId") == [theirs]
    abort = scene.neighbour.sign(scene.request("DELETE", query=f"uploadId={theirs}"))
    assert scene.send(abort).status == 204


def test_uploads_are_listed_in_pages(gateway: Gateway) -> None:
    scene = Scene(gateway, FILES)
    base = scene.key
    expected = []
    for name in ("a", "a", "b", "ü &c"):
        scene.key = f"{base}/{name}"
        expected.append((scene.key, scene.upload()))
    found: list[tuple[str, str]] = []
    markers = ""

    for truncated in ("true", "true", "true", "false"):
        query = f"uploads=&prefix={base}&max-uploads=1&encoding-type=url{markers}"
        page = scene.call("GET", query, path=f"/{FILES}")
        assert (page.status, page.text("IsTruncated")) == (200, truncated)
        found += zip(map(unquote, page.texts("Key")), page.texts("UploadId"), strict=True)
        markers = (
            f"&key-marker={page.text('NextKeyMarker')}&upload-id-marker={page.text('NextUploadIdMarker')}"
        )

    assert found == expected
    scene.abort_uploads()
