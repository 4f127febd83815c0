"""Buckets by REST: as configured, without secrets, and how their storages are."""

from __future__ import annotations

import pytest

from tests.mizuchi_site.bucket_site import configured_buckets
from tests.mizuchi_site.members import client_of

pytestmark = pytest.mark.django_db


def test_every_bucket_with_its_rules_and_no_secret() -> None:
    with configured_buckets() as site:
        answer = client_of("viewer").get("/api/v1/buckets/")

    assert answer.status_code == 200
    plain, guarded = answer.json()["results"]
    assert (plain["name"], plain["storage"]["kind"], plain["health"]["is_ok"]) == (
        "plain",
        "filesystem",
        True,
    )
    assert plain["access"]["policy"] is None
    assert (guarded["storage"]["place"], guarded["health"]["is_ok"]) == (site.endpoint, False)
    assert guarded["limits"]["max_object_bytes"] == 1024
    assert (plain["quota"], plain["throttle"]["concurrent_uploads"], plain["origins"]) == (None, None, [])
    assert guarded["quota"]["bucket"] == {"max_bytes": 4096, "max_objects": None}
    assert (guarded["quota"]["used_bytes"], guarded["quota"]["used_objects"]) == (0, 0)
    assert guarded["throttle"]["concurrent_uploads"] == 4
    assert guarded["origins"] == ["https://app.example.org"]
    assert guarded["access"]["tokens"]["issuers"] == ["https://id.example.org"]
    assert (guarded["access"]["tokens"]["keys"], guarded["access"]["tokens"]["jwks_url"]) == ("secret", None)
    assert [each["engine"] for each in guarded["access"]["policy"]["engines"]] == ["opa", "openfga"]
    assert (
        guarded["access"]["policy"]["engines"][1]["question"]
        == "user:{subject} owner, writer bucket:{bucket}"
    )
    assert [secret for secret in site.secrets if secret in answer.content.decode()] == []
