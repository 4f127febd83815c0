"""What traces tell of policy engines, what the engines are told of the trace, and what nobody is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.e2e.gateway import FILES
from tests.e2e.policy_site import (
    EVERY,
    FAILURES,
    RELATED,
    SHADOW,
    TOKENS,
    PolicySite,
    heal,
    running_policy_site,
    token,
    wait_for,
)
from tests.e2e.token_site import bearing
from tests.e2e.traced import attributes
from tests.e2e.wire.client import Answer
from tests.servers.faulty_proxy import Answer as Told
from tests.servers.faulty_proxy import FaultyProxy
from tests.servers.opa import Opa
from tests.servers.openfga import OpenFga
from tests.servers.seaweedfs import SeaweedFS

# Each of them stands for a person, and none may be in a span or in the log.
CANARIES = {
    "subject": "canary-subject-4711",
    "department": "canary-claim-4712",
    "email": "canary-claim-4713@example.org",
    "groups": ["canary-group-4714"],
}
KEY = "canary-key-4715"


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, seaweedfs: SeaweedFS, opa: Opa, openfga: OpenFga
) -> Iterator[PolicySite]:
    with running_policy_site(tmp_path_factory.mktemp("policy-traces"), seaweedfs, opa, openfga) as site:
        yield site


@pytest.fixture
def site(running: PolicySite) -> PolicySite:
    heal(running)
    return running


def traced(site: PolicySite, answer: Answer) -> dict[str, Span]:
    return site.traced.trace(answer.headers["x-amz-request-id"])


def context_at(proxy: FaultyProxy) -> tuple[str, str]:
    """Trace id and parent id that came with the last question."""
    _, trace_id, parent_id, _ = proxy.seen[-1].headers["traceparent"].split("-")
    return trace_id, parent_id


def test_both_engines_are_spans_and_know_their_trace(site: PolicySite) -> None:
    scene = site.scene(SHADOW)
    answer = scene.send(scene.owner.sign(scene.put()))

    spans = traced(site, answer)

    root = spans["PUT s3.PutObject"]
    for name, proxy in (("authz.opa", site.opa), ("authz.openfga", site.openfga)):
        span = spans[name]
        assert span.parent_span_id == root.span_id
        assert span.kind == Span.SPAN_KIND_CLIENT
        told = attributes(span)
        assert told.pop("mizuchi.authz.duration_ms") > 0
        assert told.pop("mizuchi.authz.reason") in {"reason not shown", "related"}
        assert told == {
            "server.address": "127.0.0.1",
            "server.port": proxy.port,
            "mizuchi.authz.decision": "allow",
            "mizuchi.authz.cache_hit": False,
            "mizuchi.authz.shadow": True,
        }
    assert context_at(site.opa) == (root.trace_id.hex(), spans["authz.opa"].span_id.hex())
    assert context_at(site.openfga) == (root.trace_id.hex(), spans["authz.openfga"].span_id.hex())


def test_a_remembered_answer_is_told_as_such(site: PolicySite) -> None:
    scene = site.scene(FILES)
    first, again = (scene.send(scene.owner.sign(scene.put())) for _ in range(2))

    hits = [
        attributes(traced(site, answer)["authz.opa"])["mizuchi.authz.cache_hit"] for answer in (first, again)
    ]
    assert hits == [False, True]


@pytest.mark.parametrize(("bucket", "name"), [(EVERY, "authz.opa"), (RELATED, "authz.openfga")])
def test_a_denied_request(site: PolicySite, bucket: str, name: str) -> None:
    scene = site.closed(bucket)
    spans = traced(site, scene.send(scene.owner.sign(scene.put())))

    assert attributes(spans[name])["mizuchi.authz.decision"] == "deny"
    assert spans[name].status.code == Status.STATUS_CODE_UNSET, "a no is no fault"
    assert "upload.put_object" not in spans


def test_an_engine_that_is_down(site: PolicySite) -> None:
    site.opa.stop()
    scene = site.scene(EVERY)
    answers = [scene.send(scene.owner.sign(scene.put())) for _ in range(FAILURES + 1)]

    spans = [traced(site, answer) for answer in answers]

    for trace, kind in zip(spans, ["connection_refused"] * FAILURES + ["breaker_open"], strict=True):
        told = attributes(trace["authz.opa"])
        assert (told["mizuchi.authz.decision"], told["mizuchi.authz.reason"]) == ("error", kind)
        assert told["error.type"] == kind
        assert trace["authz.opa"].status.code == Status.STATUS_CODE_ERROR
        assert attributes(trace["PUT s3.PutObject"])["http.response.status_code"] == 503


def test_the_decision_id_of_opa(site: PolicySite) -> None:
    site.opa.behaviour = Told(200, b'{"result": true, "decision_id": "4ca636c1-55e4-417a-b1d8-4aceb67960d1"}')
    scene = site.scene(EVERY)
    spans = traced(site, scene.send(scene.owner.sign(scene.put())))

    assert (
        attributes(spans["authz.opa"])["mizuchi.authz.decision_id"] == "4ca636c1-55e4-417a-b1d8-4aceb67960d1"
    )


def test_nothing_personal_is_exported_or_logged(site: PolicySite) -> None:
    claims: dict[str, Any] = {**CANARIES}
    bearer = token(claims.pop("subject"), **claims)
    scene = site.scene(TOKENS)
    scene.key = f"folder/{KEY}"

    answers = [scene.send(bearing(scene.put(), bearer))]
    leaking = b'{"result": {"allow": true, "reason": "canary-subject-4711 may"}}'
    for behaviour in (Told(200, leaking), Told(500, b"canary-subject-4711"), Told(200, b"canary-key-4715")):
        site.opa.behaviour = behaviour
        answers.append(scene.send(bearing(scene.put(), bearer)))
    site.opa.stop()
    answers.append(scene.send(bearing(scene.put(), bearer)))

    assert [answer.status for answer in answers] == [403, 200, 503, 503, 503]
    for answer in answers:
        assert "authz.opa" in traced(site, answer)
    wait_for(lambda: site.receiver.log_requests)
    exported = b"".join(request.SerializeToString() for request in site.receiver.requests)
    exported += b"".join(request.SerializeToString() for request in site.receiver.log_requests)
    logged = site.gateway.log.read_bytes()
    told = b"".join(answer.body for answer in answers[:1] + answers[2:])
    for canary in (*CANARIES.values(), KEY, bearer):
        text = canary[0] if isinstance(canary, list) else canary
        for place, content in (("spans", exported), ("log", logged)):
            assert text.encode() not in content, f"{text} is in the {place}"
    assert b"canary-claim" not in told
    assert b"canary-subject" not in told
