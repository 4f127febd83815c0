"""What OPA is asked, and every form of its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from authz.config import OpaConfig
from authz.policy.base import EngineAnswer, EngineFailure
from authz.policy.opa import Opa
from tests.authz.policy.questions import identity, question
from tests.servers.faulty_proxy import Answer, FaultyProxy, faulty_proxy


@pytest.fixture
def server() -> Iterator[FaultyProxy]:
    """Answers what it is told to; there is nothing behind it."""
    with faulty_proxy("http://127.0.0.1:9") as proxy:
        proxy.behaviour = Answer(200, b'{"result": true}')
        yield proxy


@pytest.fixture
def engine(server: FaultyProxy) -> Iterator[Opa]:
    engine = Opa(OpaConfig(f"{server.endpoint}/base", "/v1/data/x/allow", "s3cr3t"))
    yield engine
    engine.close()


def test_the_question_as_the_policy_sees_it(engine: Opa, server: FaultyProxy) -> None:
    who = identity("ännë", groups=("staff", "b"), claims={"tier": "gold", "level": 3, "tags": ["x"]})
    engine.ask(question(identity=who, operation="UploadPart", key='a "b"', request_id="r1"))

    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/base/v1/data/x/allow")
    assert seen.headers["authorization"] == "Bearer s3cr3t"
    assert json.loads(seen.body) == {
        "input": {
            "subject": "ännë",
            "principal": "jwt:ännë",
            "groups": ["staff", "b"],
            "claims": {"tier": "gold", "level": 3, "tags": ["x"]},
            "action": "s3:PutObject",
            "resource": {"bucket": "uploads", "key": 'a "b"', "size": 5, "content_type": "text/plain"},
            "context": {
                "method": "PUT",
                "operation": "UploadPart",
                "authentication": "jwt",
                "ip": "192.0.2.7",
                "request_id": "r1",
            },
        }
    }


@pytest.mark.parametrize(
    "other",
    [
        {"key": "x"},
        {"key": None},
        {"size": 6},
        {"size": None},
        {"content_type": "image/png"},
        {"content_type": None},
        {"action": "s3:AbortMultipartUpload"},
        {"operation": "UploadPart"},
        {"method": "POST"},
        {"client_ip": "192.0.2.8"},
        {"identity": identity(claims={"tier": "gold"})},
        {"identity": identity(principal="other")},
        {"identity": identity(method="sigv4")},
    ],
    ids=str,
)
def test_all_that_the_policy_sees_is_what_an_answer_is_remembered_by(
    engine: Opa, other: dict[str, Any]
) -> None:
    assert engine.cache_key(question(**other)) != engine.cache_key(question())


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"result": True}, EngineAnswer(True, "")),
        ({"result": False}, EngineAnswer(False, "")),
        ({}, EngineAnswer(False, "undefined")),
        ({"warning": {"code": "api_usage_warning"}}, EngineAnswer(False, "undefined")),
        ({"result": {"allow": True}}, EngineAnswer(True, "")),
        ({"result": {"allow": False, "reason": "why"}}, EngineAnswer(False, "why")),
        ({"result": {"allow": True, "reason": None, "more": [1]}}, EngineAnswer(True, "")),
        ({"result": True, "decision_id": "a-b_1"}, EngineAnswer(True, "", "a-b_1")),
        ({"result": True, "decision_id": "x y"}, EngineAnswer(True, "")),
        ({"result": True, "decision_id": "x" * 65}, EngineAnswer(True, "")),
        ({"result": True, "decision_id": 7}, EngineAnswer(True, "")),
    ],
    ids=range(11),
)
def test_answers(engine: Opa, server: FaultyProxy, body: Any, answer: EngineAnswer) -> None:
    server.behaviour = Answer(200, json.dumps(body).encode())

    assert engine.ask(question()) == answer


@pytest.mark.parametrize(
    "result",
    [None, 1, 0, "true", [], [True], {}, {"allow": None}, {"allow": 1}, {"allow": True, "reason": 1}],
)
def test_no_answer(engine: Opa, server: FaultyProxy, result: Any) -> None:
    server.behaviour = Answer(200, json.dumps({"result": result}).encode())

    with pytest.raises(EngineFailure) as failure:
        engine.ask(question())
    assert (failure.value.code, failure.value.is_outage) == ("malformed_answer", False)


@pytest.mark.parametrize(
    "who",
    [identity("\ud800"), identity(claims={"x": "\udfff"}), identity(claims={"x": float("nan")})],
    ids=["subject", "claim", "nan"],
)
def test_what_cannot_be_said_in_json_is_not_asked(engine: Opa, server: FaultyProxy, who: Any) -> None:
    for step in (engine.ask, engine.cache_key):
        with pytest.raises(EngineFailure) as failure:
            step(question(identity=who))
        assert (failure.value.code, failure.value.is_outage) == ("unaskable", False)
    assert server.seen == []


def test_a_policy_that_fails_over_one_question_is_no_outage(engine: Opa, server: FaultyProxy) -> None:
    errors = [{"code": "eval_conflict_error", "message": "about anne"}]
    server.behaviour = Answer(500, json.dumps({"code": "internal_error", "errors": errors}).encode())

    with pytest.raises(EngineFailure) as failure:
        engine.ask(question())
    assert (failure.value.code, failure.value.is_outage) == ("evaluation", False)
    assert "anne" not in failure.value.detail
