"""The running gateway asks real policy engines, on every request, before the body."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.gateway import FILES, SEAWEED
from tests.e2e.policy_site import (
    EVERY,
    OPEN,
    RELATED,
    SHADOW,
    TOKENS,
    PolicySite,
    heal,
    running_policy_site,
    token,
)
from tests.e2e.token_site import bearing
from tests.e2e.wire.client import connected
from tests.e2e.wire.forms import form
from tests.e2e.wire.scene import BODY, surprises_in
from tests.servers.faulty_proxy import Answer, Behaviour, Hang
from tests.servers.opa import Opa
from tests.servers.openfga import OpenFga
from tests.servers.seaweedfs import SeaweedFS

DENY = Answer(200, b'{"result": false, "allowed": false}')


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS, opa: Opa, openfga: OpenFga
) -> Iterator[PolicySite]:
    with running_policy_site(tmp_path_factory.mktemp("policy"), seaweedfs, opa, openfga) as site:
        yield site


@pytest.fixture
def site(running: PolicySite) -> Iterator[PolicySite]:
    """All is well when the test begins, and no refusal was an accident."""
    heal(running)
    start = running.gateway.log.stat().st_size
    yield running
    with running.gateway.log.open("rb") as log:
        log.seek(start)
        assert surprises_in(log.read().decode(errors="replace")) == []


@pytest.mark.parametrize("bucket", [FILES, SEAWEED, EVERY, RELATED])
def test_who_may_uploads_and_who_may_not_is_refused(site: PolicySite, bucket: str) -> None:
    scene, closed = site.scene(bucket), site.closed(bucket)

    assert scene.send(scene.owner.sign(scene.put())).status == 200
    refused = [closed.send(closed.neighbour.sign(closed.put()))]
    if bucket in (EVERY, RELATED):
        refused.append(closed.send(closed.owner.sign(closed.put())))

    assert {(answer.status, answer.code) for answer in refused} == {(403, "AccessDenied")}
    assert (scene.records(), closed.records()) == ([("STORED", "")], [])


def test_a_refusal_says_nothing_of_the_policys_words(site: PolicySite) -> None:
    scene = site.closed(EVERY)

    refused = scene.send(scene.owner.sign(scene.put()))

    assert refused.status == 403
    assert refused.text("Message") == (
        "Access Denied: the policy of this bucket does not let you do s3:PutObject here. "
        "The operator can look this request id up."
    )
    assert scene.records() == []


@pytest.mark.parametrize("bucket", [EVERY, RELATED])
def test_it_is_asked_before_the_body(site: PolicySite, bucket: str) -> None:
    scene = site.closed(bucket)
    request = scene.owner.sign(scene.put()).and_header("Expect", "100-continue")
    with connected(scene.port) as connection:
        connection.send(request.head())
        first = connection.socket.recv(12, socket.MSG_PEEK)
        answer = connection.answer("PUT")

    assert first == b"HTTP/1.1 403"
    assert answer is not None
    assert answer.code == "AccessDenied"


def test_every_request_of_an_upload_is_asked_about(site: PolicySite) -> None:
    scene = site.scene(EVERY)
    upload = scene.upload()
    etags = [(number, scene.part(upload, number, b"x" * (5 << 20))) for number in (1, 2)]
    scene.call("GET", f"uploadId={upload}")
    scene.call("GET", "uploads=", path=f"/{EVERY}")
    assert scene.send(scene.owner.sign(scene.completion(upload, etags))).status == 200
    assert scene.call("HEAD").status == 200
    scene.call("DELETE", f"uploadId={scene.upload()}")

    assert site.operations() == [
        "CreateMultipartUpload",
        "UploadPart",
        "UploadPart",
        "ListParts",
        "ListMultipartUploads",
        "CompleteMultipartUpload",
        "HeadObject",
        "CreateMultipartUpload",
        "AbortMultipartUpload",
    ]


def test_a_right_that_is_withdrawn_ends_an_upload_at_its_next_request(site: PolicySite) -> None:
    scene = site.scene(EVERY)
    upload = scene.upload()
    etag = scene.part(upload, 1)
    site.opa.behaviour = DENY

    assert scene.call("PUT", f"partNumber=2&uploadId={upload}", BODY).status == 403
    assert scene.send(scene.owner.sign(scene.completion(upload, [(1, etag)]))).status == 403
    assert scene.records() == [("RECEIVING", "")]


def test_the_question_has_what_the_request_has(site: PolicySite) -> None:
    scene = site.scene(EVERY)
    scene.key = "folder/a ü.txt"
    answer = scene.send(scene.owner.sign(scene.put(headers={"Content-Type": "text/plain"})))

    asked = json.loads(site.opa.seen[-1].body)["input"]
    assert answer.status == 200
    assert asked == {
        "subject": "end-to-end",
        "principal": "end-to-end",
        "groups": [],
        "claims": {},
        "action": "s3:PutObject",
        "resource": {
            "bucket": EVERY,
            "key": "folder/a ü.txt",
            "size": len(BODY),
            "content_type": "text/plain",
        },
        "context": {
            "method": "PUT",
            "operation": "PutObject",
            "authentication": "sigv4",
            "ip": "127.0.0.1",
            "request_id": answer.headers["x-amz-request-id"],
        },
    }


def test_claims_decide_for_the_bearer_of_a_token(site: PolicySite) -> None:
    scene = site.scene(TOKENS)

    gold = scene.send(bearing(scene.put(), token("eve", department="gold", groups=["g"])))
    asked = json.loads(site.opa.seen[-1].body)["input"]
    iron = scene.send(bearing(scene.put(), token("eve", department="iron")))
    impostor = scene.send(bearing(scene.put(), token("neighbour")))

    assert [gold.status, iron.status, impostor.status] == [200, 403, 403]
    assert (asked["subject"], asked["groups"], asked["claims"]) == ("eve", ["g"], {"department": "gold"})


def test_an_answer_is_remembered_for_the_very_same_question(site: PolicySite) -> None:
    scene = site.scene(FILES)
    for _ in range(3):
        assert scene.send(scene.owner.sign(scene.put())).status == 200
    assert len(site.opa.seen) == 1
    assert len(site.openfga.seen) <= 1, "another test may have asked"

    site.opa.seen.clear()
    assert scene.send(scene.owner.sign(scene.put(BODY + b"!"))).status == 200
    assert len(site.opa.seen) == 1, "another size is another question"


BAD: dict[str, Behaviour | None] = {"deny": DENY, "hangs": Hang(), "garbage": Answer(200, b"?"), "down": None}


@pytest.mark.parametrize("behaviour", BAD.values(), ids=BAD)
def test_shadow_never_refuses(site: PolicySite, behaviour: Behaviour | None) -> None:
    for proxy in (site.opa, site.openfga):
        proxy.stop() if behaviour is None else setattr(proxy, "behaviour", behaviour)
    scene = site.scene(SHADOW)

    answers = [scene.send(scene.owner.sign(scene.put(BODY + b"!" * n))) for n in range(4)]

    assert [answer.status for answer in answers] == [200] * 4
    (row,) = site.decisions(answers[0].headers["x-amz-request-id"])
    assert (row["outcome"] != "allow", row["is_enforced"]) == (True, 0)


def test_an_open_bucket_stays_open_and_says_so(site: PolicySite) -> None:
    site.opa.stop()
    scene = site.scene(OPEN)

    answer = scene.send(scene.owner.sign(scene.put()))

    assert answer.status == 200
    request_id = answer.headers["x-amz-request-id"]
    assert f"request {request_id} is let in without an answer: fails_open" in site.gateway.log.read_text()
    (row,) = site.decisions(request_id)
    assert (row["outcome"], row["reason"]) == ("allow", "fails open")


def test_the_operator_can_look_a_refusal_up(site: PolicySite) -> None:
    scene = site.closed(EVERY)
    refused = scene.send(scene.owner.sign(scene.put()))

    (row,) = site.decisions(refused.headers["x-amz-request-id"])

    told: dict[str, Any] = {name: row[name] for name in ("principal", "action", "bucket", "key", "engine")}
    assert told == {
        "principal": "end-to-end",
        "action": "s3:PutObject",
        "bucket": EVERY,
        "key": scene.key,
        "engine": "opa",
    }
    assert (row["outcome"], row["reason"], row["is_enforced"]) == ("deny", "reason not shown", 1)


def test_a_form_upload_is_asked_about_by_its_key(site: PolicySite) -> None:
    scene = site.scene(TOKENS)
    answer = scene.send(bearing(form(scene, {"key": scene.key}), token("eve", department="gold")))

    asked = json.loads(site.opa.seen[-1].body)["input"]
    assert answer.status == 204
    assert (asked["resource"]["key"], asked["context"]["operation"]) == (scene.key, "PostObject")
