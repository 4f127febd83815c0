"""Verified, then visible: a body changed or cut anywhere leaves nothing, and nothing older changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from tests.e2e.gateway import FILES, SEAWEED, Gateway
from tests.e2e.wire.body_forms import FORMS, part_of, put_of
from tests.e2e.wire.client import Answer, RawConnection, Request, connected
from tests.e2e.wire.scene import Scene
from tests.e2e.wire.signing import BotocoreSigner, Signer

OLD = b"the object that was there before"
SMALL = (b"a first chunk", b"the second", b"and a last")
# More than the gateway holds back, and not a multiple of any of its blocks.
LARGE = tuple(bytes([65 + n]) * 170_000 for n in range(6))
REFUSED = {
    "sha256": {"XAmzContentSHA256Mismatch"},
    "md5": {"BadDigest"},
    "unsigned-trailer": {
        "BadDigest",
        "IncompleteBody",
        "InvalidChunkSizeError",
        "InvalidDigest",
        "MalformedTrailerError",
    },
    "signed-chunks": {
        "SignatureDoesNotMatch",
        "IncompleteBody",
        "InvalidChunkSizeError",
        "MalformedTrailerError",
    },
    "signed-chunks-trailer": {
        "SignatureDoesNotMatch",
        "IncompleteBody",
        "InvalidChunkSizeError",
        "MalformedTrailerError",
    },
}


def signers(scene: Scene) -> Mapping[str, Signer]:
    key = (scene.owner.access_key_id, scene.owner.secret)
    return {"own": Signer(*key), "botocore": BotocoreSigner(*key)}


def flipped(body: bytes, offset: int) -> bytes:
    return body[:offset] + bytes([body[offset] ^ 1]) + body[offset + 1 :]


def send_all(scene: Scene, requests: Sequence[Request]) -> Iterator[Answer]:
    for request in requests:
        yield scene.send(request)


@pytest.fixture(params=[FILES, SEAWEED])
def scene(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[Scene]:
    scene = Scene(gateway, request.param)
    yield scene
    scene.clear()


@pytest.mark.parametrize("signer", ["own", "botocore"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chunks", [SMALL, LARGE, (b"",)], ids=["small", "large", "empty"])
def test_each_form_of_body_arrives_whole(
    scene: Scene, form: str, signer: str, chunks: tuple[bytes, ...]
) -> None:
    request = FORMS[form](put_of(scene, *filter(None, chunks)), signers(scene)[signer])

    answer = scene.send(request)

    assert answer.status == 200, answer
    assert scene.read() == b"".join(chunks)
    assert scene.last_record(("STORED", "")) == ("STORED", "")


@pytest.mark.parametrize("form", FORMS)
def test_a_change_of_any_byte_is_refused(scene: Scene, form: str) -> None:
    scene.stored(OLD)
    before = scene.holdings()
    request = FORMS[form](put_of(scene, *SMALL), scene.owner)
    # Every byte where a request is cheap, and of the slower storage every seventh.
    changed = [request.with_body(flipped(request.body, at)) for at in offsets(scene, request)]

    answers = [*send_all(scene, changed)]

    assert {answer.status for answer in answers} <= {400, 403}
    assert {answer.code for answer in answers} <= REFUSED[form]
    assert scene.holdings() == before
    assert scene.read() == OLD
    assert set(scene.records()[1:]) == {("FAILED", answer.code) for answer in answers}


@pytest.mark.parametrize("form", FORMS)
def test_a_body_that_ends_anywhere_too_early_is_refused(scene: Scene, form: str) -> None:
    """Both as a whole request of that length and as a connection that ends in the middle of one."""
    scene.stored(OLD)
    before = scene.holdings()
    request = FORMS[form](put_of(scene, *SMALL), scene.owner)
    shorter = [request.with_body(request.body[:at]) for at in offsets(scene, request)]

    answers = [*send_all(scene, shorter)]
    answers += [ended(scene, replace(request, body=request.body[:at])) for at in offsets(scene, request)]

    assert {answer.status for answer in answers} == {400}
    assert {answer.code for answer in answers} <= {"IncompleteBody", *REFUSED[form]}
    assert scene.holdings() == before
    assert scene.read() == OLD


@pytest.mark.parametrize("signer", ["own", "botocore"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_change_in_a_large_body_is_refused(scene: Scene, form: str, signer: str, place: str) -> None:
    """The storage has most of the body by the time that the fault is found."""
    scene.stored(OLD)
    before = scene.holdings()
    request = FORMS[form](put_of(scene, *LARGE), signers(scene)[signer])
    chunk = {"first": LARGE[0], "middle": LARGE[3], "last": LARGE[-1]}[place]
    at = request.body.index(chunk) + len(chunk) // 2

    answer = scene.send(request.with_body(flipped(request.body, at)))

    assert answer.status in (400, 403)
    assert answer.code in REFUSED[form]
    assert scene.holdings() == before
    assert scene.read() == OLD
    assert scene.last_record(("FAILED", answer.code)) == ("FAILED", answer.code)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_change_in_a_part_is_refused(scene: Scene, form: str, place: str) -> None:
    upload_id = scene.upload()
    etag = scene.part(upload_id, 1, OLD)
    before = scene.holdings()
    request = FORMS[form](part_of(scene, upload_id, *LARGE), scene.owner)
    chunk = {"first": LARGE[0], "middle": LARGE[3], "last": LARGE[-1]}[place]
    at = request.body.index(chunk) + len(chunk) // 2

    answer = scene.send(request.with_body(flipped(request.body, at)))

    assert answer.code in REFUSED[form], answer
    assert scene.holdings() == before
    listed = scene.call("GET", f"uploadId={upload_id}")
    assert [tag.strip('"') for tag in listed.texts("ETag")] == [etag]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999], ids=["before-the-body", "in-the-middle", "near-the-end"])
@pytest.mark.parametrize("end", ["reset", "closed"])
def test_a_client_that_vanishes_leaves_nothing(scene: Scene, form: str, share: float, end: str) -> None:
    scene.stored(OLD)
    before = scene.holdings()
    request = FORMS[form](put_of(scene, *LARGE), scene.owner)

    with connected(scene.port) as connection:
        connection.send(request.head() + request.body[: int(len(request.body) * share)])
        vanish(connection, end)

    assert scene.last_record(("FAILED", "IncompleteBody")) == ("FAILED", "IncompleteBody")
    assert scene.holdings() == before
    assert scene.read() == OLD


@pytest.mark.parametrize("form", FORMS)
def test_a_client_that_vanishes_in_a_part_leaves_none(scene: Scene, form: str) -> None:
    upload_id = scene.upload()
    before = scene.holdings()
    request = FORMS[form](part_of(scene, upload_id, *LARGE), scene.owner)

    for share in (0.1, 0.9):
        answer = ended(scene, replace(request, body=request.body[: int(len(request.body) * share)]))
        assert (answer.status, answer.code) == (400, "IncompleteBody")

    assert scene.holdings() == before


def offsets(scene: Scene, request: Request) -> range:
    return range(0, len(request.body), 1 if scene.bucket == FILES else 7)


def ended(scene: Scene, request: Request) -> Answer:
    """The answer to a request after which the client sends nothing more."""
    with connected(scene.port) as connection:
        connection.send(request.head() + request.body)
        connection.end()
        answer = connection.answer(request.method)
    assert answer is not None
    return answer


def vanish(connection: RawConnection, end: str) -> None:
    if end == "reset":
        connection.reset()
    else:
        connection.socket.close()
