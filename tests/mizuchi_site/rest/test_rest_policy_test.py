"""What policy engines would decide, by REST: each answer, outages as such, within their timeouts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.mizuchi_site.bucket_site import answering_opa, configured_buckets
from tests.mizuchi_site.members import client_of

pytestmark = pytest.mark.django_db

ASKED = {"bucket": "guarded", "subject": "anne", "key": "users/anne/a.txt", "operation": "UploadPart"}


def ask(body: dict[str, Any]) -> Any:
    return client_of("operator").post("/api/v1/policy-test/", json.dumps(body), "application/json")


def test_an_engine_answers_and_another_does_not() -> None:
    with answering_opa({"allow": True, "reason": "anne is gold"}) as opa, configured_buckets(opa=opa) as site:
        answer = ask(ASKED | {"claims": {"tier": "gold", "email": "a@b.c"}, "size": 5, "groups": ["staff"]})

    assert answer.status_code == 200
    told = answer.json()
    assert (told["outcome"], told["is_enforced"], told["scope"]["is_allowed"]) == ("error", True, True)
    first, second = told["engines"]
    assert (first["engine"], first["outcome"], first["detail"]) == ("opa", "allow", "anne is gold")
    assert (second["engine"], second["outcome"], second["reason"]) == (
        "openfga",
        "error",
        "connection_refused",
    )
    assert first["seconds"] > 0
    (question,) = opa.questions
    assert question["subject"] == "anne"
    assert question["action"] == "s3:PutObject"
    assert question["claims"] == {"tier": "gold"}, "as the bucket lets them through"
    assert (question["context"]["operation"], question["resource"]["size"]) == ("UploadPart", 5)
    assert [secret for secret in site.secrets if secret in answer.content.decode()] == []


def test_what_no_policy_can_widen() -> None:
    with configured_buckets():
        told = ask(ASKED | {"key": "users/bob/a.txt"}).json()

    assert (told["outcome"], told["why"]) == ("deny", "no policy can widen it")
    assert [each["outcome"] for each in told["engines"]] == ["error", "error"]


def test_a_bucket_without_a_policy() -> None:
    with configured_buckets():
        told = ask({"bucket": "plain", "subject": "anne"}).json()

    assert (told["outcome"], told["why"], told["engines"]) == ("allow", "the bucket has no policy", [])


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"bucket": "nowhere"}, "bucket"),
        ({"subject": ""}, "subject"),
        ({"operation": "GetObject"}, "operation"),
        ({"method": "basic"}, "method"),
        ({"claims": []}, "claims"),
        ({"groups": "staff"}, "groups"),
        ({"size": -1}, "size"),
        ({"key": "x" * 1025}, "key"),
        ({"client_ip": "here"}, "client_ip"),
    ],
)
def test_what_cannot_be_asked(changed: dict[str, Any], fault: str) -> None:
    answer = ask(ASKED | changed)

    assert (answer.status_code, list(answer.json())) == (400, [fault])
