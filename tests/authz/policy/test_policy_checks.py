"""``manage.py check``: policies that are weaker than they look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from authz.config import BucketAuth, JwtConfig, OpaConfig, OpenFgaConfig, PolicyConfig

TOKEN = "a-token-that-nobody-may-see"
OPA = OpaConfig("http://127.0.0.1:8181", token=TOKEN)
FGA = OpenFgaConfig("http://[::1]:8080", "01HVMMBCMGZNT3SED4Z17ECXCA", api_token=TOKEN)
JWT = BucketAuth(jwt=JwtConfig(("HS256",), secret="x" * 32))


def found(settings: Settings, policy: PolicyConfig, rules: BucketAuth | None = None) -> list[CheckMessage]:
    buckets = {"guarded": rules or BucketAuth()}
    settings.AUTHZ = replace(settings.AUTHZ, buckets=buckets, policies={"guarded": policy})
    return [message for message in run_checks() if str(message.id).startswith("mizuchi.")]


@pytest.mark.parametrize(
    ("policy", "rules", "ids"),
    [
        (PolicyConfig(opa=OPA, openfga=FGA), BucketAuth(), []),
        (PolicyConfig(opa=replace(OPA, url="https://opa.example.org")), BucketAuth(), []),
        (PolicyConfig(opa=replace(OPA, url="http://localhost:8181")), BucketAuth(), []),
        (PolicyConfig(opa=OPA, fails_open=True), BucketAuth(), ["mizuchi.W003"]),
        (PolicyConfig("shadow", opa=OPA, fails_open=True), BucketAuth(), ["mizuchi.W005"]),
        (PolicyConfig(opa=replace(OPA, url="http://opa:8181")), BucketAuth(), ["mizuchi.W004"]),
        (PolicyConfig(openfga=replace(FGA, url="http://10.0.0.1")), BucketAuth(), ["mizuchi.W004"]),
        (PolicyConfig("shadow", opa=OPA), BucketAuth(), ["mizuchi.W005"]),
        (PolicyConfig(openfga=FGA), JWT, ["mizuchi.W006"]),
        (PolicyConfig(openfga=FGA), replace(JWT, sigv4=False), []),
        (PolicyConfig(openfga=replace(FGA, user="user:{principal}")), JWT, []),
        (PolicyConfig(opa=OPA), JWT, []),
        (
            PolicyConfig(openfga=FGA),
            replace(JWT, sigv4=False, anonymous=True),
            ["mizuchi.W001", "mizuchi.W006"],
        ),
    ],
    ids=range(13),
)
def test_what_is_warned_of(
    settings: Settings, policy: PolicyConfig, rules: BucketAuth, ids: list[str]
) -> None:
    messages = found(settings, policy, rules)

    assert sorted(str(message.id) for message in messages) == ids
    for message in messages:
        assert "'guarded'" in message.msg
        assert message.hint
        assert not message.is_serious()
        assert TOKEN not in str(message)
