"""``/readyz`` is degraded and ``/health/authz`` tells why, when an engine is down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from authz.apps import authz_app
from authz.config import PolicyBreakerConfig, PolicyConfig
from authz.health import policy_check
from authz.permissions import Authorizer
from authz.policy.bucket_policy import BucketPolicy
from authz.policy.guarded import GuardedEngine
from tests.authz.policy.fake_engine import DOWN, FakeEngine
from tests.authz.policy.questions import question
from tracing_app.health.base import overall


@pytest.fixture
def engine() -> Iterator[GuardedEngine]:
    """One that two buckets of this process ask, and that is down."""
    engine = GuardedEngine(FakeEngine(DOWN), cache_ttl_seconds=60, breaker=PolicyBreakerConfig(failures=2))
    policy = BucketPolicy(PolicyConfig(), [engine])
    app: Any = authz_app()
    before = app.__dict__.pop("authorizer", None)
    app.authorizer = Authorizer({"one": policy, "two": policy}, lambda *outcome: None)
    yield engine
    app.__dict__.pop("authorizer")
    if before is not None:
        app.authorizer = before


def test_without_policies_all_is_well() -> None:
    assert policy_check().run().status == "ok"


def test_an_engine_that_is_down_degrades_and_no_more(engine: GuardedEngine) -> None:
    engine.ask(question())
    assert policy_check().run().status == "ok", "one failure is no outage yet"
    engine.ask(question())

    health = policy_check().run()

    assert overall([health]) == "degraded"
    assert health.detail == "opa at opa.example:8181: opa.example:8181 refuses connections"


@pytest.mark.django_db
def test_the_numbers_are_for_staff(engine: GuardedEngine) -> None:
    for _ in range(3):
        engine.ask(question())
    client = Client()
    assert client.get("/health/authz").status_code in (401, 403)
    user = User.objects.create_user("operator", password="x")
    client.force_login(user)
    assert client.get("/health/authz").status_code == 403
    user.is_staff = True
    user.save()

    (report,) = client.get("/health/authz").json()["engines"]

    assert (report["engine"], report["buckets"]) == ("opa", ["one", "two"])
    assert (report["breaker"], report["failed"], report["last_error"]) == (
        "open",
        3,
        "opa.example:8181 refuses connections",
    )
    assert "anne" not in str(report)
