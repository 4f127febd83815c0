"""What OpenFGA is asked: users, relations, objects, groups."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from authz.config import OpenFgaConfig
from authz.policy.base import EngineAnswer, EngineFailure
from authz.policy.openfga import OpenFga
from tests.authz.policy.questions import identity, question
from tests.servers.faulty_proxy import Answer, FaultyProxy, faulty_proxy

STORE, MODEL = "01HVMMBCMGZNT3SED4Z17ECXCA", "01HVMMBCMGZNT3SED4Z17ECXCB"
Build = Callable[..., OpenFga]


@pytest.fixture
def server() -> Iterator[FaultyProxy]:
    """Answers what it is told to; there is nothing behind it."""
    with faulty_proxy("http://127.0.0.1:9") as proxy:
        proxy.behaviour = Answer(200, b'{"allowed": true, "resolution": ""}')
        yield proxy


@pytest.fixture
def build(server: FaultyProxy) -> Iterator[Build]:
    built: list[OpenFga] = []

    def build(**changes: Any) -> OpenFga:
        built.append(OpenFga(replace(OpenFgaConfig(server.endpoint, STORE), **changes)))
        return built[-1]

    yield build
    for engine in built:
        engine.close()


def asked(server: FaultyProxy) -> Any:
    return json.loads(server.seen[-1].body)


def test_a_check(build: Build, server: FaultyProxy) -> None:
    answer = build(model_id=MODEL, api_token="s3cr3t").ask(question())

    assert answer == EngineAnswer(True, "related")
    assert server.seen[-1].path == f"/stores/{STORE}/check"
    assert server.seen[-1].headers["authorization"] == "Bearer s3cr3t"
    assert asked(server) == {
        "tuple_key": {"user": "user:anne", "relation": "writer", "object": "bucket:uploads"},
        "authorization_model_id": MODEL,
    }


def test_names_are_escaped(build: Build, server: FaultyProxy) -> None:
    engine = build(objects=("file:{bucket}/{key}",), user="person:{principal}", group="team:{group}")
    who = identity("x", principal="jwt:https://id#a b", groups=("g#member", "g 2"))
    engine.ask(question(identity=who, key="a b/c#d:e*"))

    assert asked(server) == {
        "tuple_key": {
            "user": "person:jwt%3Ahttps%3A//id%23a%20b",
            "relation": "writer",
            "object": "file:uploads/a%20b/c%23d%3Ae%2A",
        },
        "contextual_tuples": {
            "tuple_keys": [
                {"user": "person:jwt%3Ahttps%3A//id%23a%20b", "relation": "member", "object": f"team:{group}"}
                for group in ("g%23member", "g%202")
            ]
        },
    }


@pytest.mark.parametrize(
    ("operation", "action", "relation"),
    [
        ("PutObject", "s3:PutObject", "adder"),
        ("UploadPart", "s3:PutObject", "part_adder"),
        ("AbortMultipartUpload", "s3:AbortMultipartUpload", "owner"),
        ("HeadBucket", "s3:ListBucket", "writer"),
    ],
)
def test_relations_by_operation_before_action(
    build: Build, server: FaultyProxy, operation: str, action: str, relation: str
) -> None:
    engine = build(
        relations={"UploadPart": "part_adder", "s3:PutObject": "adder", "s3:AbortMultipartUpload": "owner"}
    )
    engine.ask(question(operation=operation, action=action))

    assert asked(server)["tuple_key"]["relation"] == relation


def test_several_objects_are_one_batch(build: Build, server: FaultyProxy) -> None:
    server.behaviour = Answer(200, b'{"result": {"0": {"allowed": false}, "1": {"allowed": true}}}')
    engine = build(objects=("bucket:{bucket}", "folder:{bucket}/{folder}"), group="group:{group}")

    assert engine.ask(question(groups=("g",))).is_allowed
    assert server.seen[-1].path == f"/stores/{STORE}/batch-check"
    memberships = {"tuple_keys": [{"user": "user:anne", "relation": "member", "object": "group:g"}]}
    assert asked(server) == {
        "checks": [
            {
                "tuple_key": {"user": "user:anne", "relation": "writer", "object": name},
                "contextual_tuples": memberships,
                "correlation_id": str(number),
            }
            for number, name in enumerate(["bucket:uploads", "folder:uploads/a"])
        ]
    }


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"0": {"allowed": True}, "1": {"allowed": False}}, True),
        ({"0": {"allowed": True}, "1": {"error": {"message": "x"}}}, True),
        ({"0": {"allowed": False}, "1": {"allowed": False}}, False),
        ({"0": {"allowed": False}, "1": {"error": {"message": "x"}}}, "check_error"),
        ({"0": {"allowed": False}}, "malformed_answer"),
        ({"0": {"allowed": False}, "1": {"allowed": "true"}}, "malformed_answer"),
        ({"0": {"allowed": False}, "2": {"allowed": True}}, "malformed_answer"),
        ([{"allowed": True}], "malformed_answer"),
        (None, "malformed_answer"),
    ],
    ids=range(9),
)
def test_answers_of_a_batch(build: Build, server: FaultyProxy, result: Any, outcome: bool | str) -> None:
    server.behaviour = Answer(200, json.dumps({"result": result}).encode())
    engine = build(objects=("bucket:{bucket}", "folder:{bucket}/{folder}"))

    if isinstance(outcome, bool):
        assert engine.ask(question()).is_allowed is outcome
        return
    with pytest.raises(EngineFailure) as failure:
        engine.ask(question())
    assert (failure.value.code, failure.value.is_outage) == (outcome, False)


@pytest.mark.parametrize(
    ("changes", "asked_about", "reason"),
    [
        ({"objects": ("file:{key}",)}, {"key": None}, "no object of this kind"),
        ({"objects": ("folder:{folder}",)}, {"key": "top"}, "no object of this kind"),
        ({"objects": ("file:{key}",)}, {"key": "x" * 252}, "object name too long"),
        ({"objects": ("file:{key}",)}, {"key": " " * 84}, "object name too long"),
        ({}, {"identity": identity("x" * 508)}, "user name too long"),
        ({"group": "group:{group}"}, {"groups": tuple(map(str, range(101)))}, "too many groups"),
        ({"group": "group:{group}"}, {"groups": ("x" * 251,)}, "group name too long"),
    ],
    ids=range(7),
)
def test_what_no_tuple_can_be_about_is_a_no_without_asking(
    build: Build, server: FaultyProxy, changes: dict[str, Any], asked_about: dict[str, Any], reason: str
) -> None:
    engine = build(**changes)

    assert engine.ask(question(**asked_about)) == EngineAnswer(False, reason)
    assert server.seen == []
    assert engine.cache_key(question(**asked_about)) != engine.cache_key(question())


def test_an_object_that_does_not_apply_is_left_out(build: Build, server: FaultyProxy) -> None:
    build(objects=("bucket:{bucket}", "folder:{bucket}/{folder}")).ask(question(key="top"))

    assert server.seen[-1].path.endswith("/check")
    assert asked(server)["tuple_key"]["object"] == "bucket:uploads"


def test_the_operator_is_told_the_code_and_not_the_message(build: Build, server: FaultyProxy) -> None:
    said = {"code": "validation_error", "message": "no user:anne"}
    server.behaviour = Answer(400, json.dumps(said).encode())

    with pytest.raises(EngineFailure) as failure:
        build().ask(question())
    assert failure.value.detail == "HTTP 400, validation_error"
