"""Tokens, good and hostile, against the rules of a bucket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jwt
import pytest

from authz.config import BucketAuth, JwtConfig
from authz.errors import BearerTokenExpired, BearerTokenRefused
from authz.jwt.rules import build_verifiers
from authz.jwt.verifier import TokenVerifier
from mizuchi_site.bucket_auth import bucket_auth
from mizuchi_site.config.buckets import AuthSection
from mizuchi_site.config.places import PROJECT_ROOT
from tests.contracts.hostile_tokens import HOSTILE, Forge, accepting, pem_of
from tests.servers.oidc import AUDIENCE, Issuer, SigningKey, forged, hmac_forged, running_issuer

SECRET = "a-shared-secret-of-sixty-four-characters-that-nobody-else-knows!"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running_issuer("RS256") as running:
        yield running


@pytest.fixture(scope="module")
def rule(issuer: Issuer) -> JwtConfig:
    rules = bucket_auth(AuthSection.model_validate({"jwt": accepting(issuer)})).jwt
    assert rules is not None
    return rules


@pytest.fixture(scope="module")
def verifier(rule: JwtConfig) -> TokenVerifier:
    return build_verifiers({"b": BucketAuth(jwt=rule)})[rule]


def by(rule: JwtConfig) -> TokenVerifier:
    return build_verifiers({"b": BucketAuth(jwt=rule)})[rule]


def test_a_good_token_says_who_it_speaks_of(issuer: Issuer, verifier: TokenVerifier) -> None:
    claims = {"groups": ["staff", "eng"], "department": {"id": 7}, "email": "alice@example.org"}

    verified = verifier.verify(issuer.token("alice", **claims))

    assert (verified.issuer, verified.subject, verified.audiences) == (issuer.url, "alice", (AUDIENCE,))
    assert verified.groups == ("staff", "eng")
    assert verified.claims == {"department": {"id": 7}}
    assert verified.expires_at > time.time()


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_every_public_key_algorithm_verifies_from_pem_and_from_jwks(algorithm: str) -> None:
    key = SigningKey.make(algorithm)
    with running_issuer() as issuer:
        issuer.keys.append(key)
        for rule in (
            JwtConfig(algorithms=(algorithm,), public_key=pem_of(key)),
            JwtConfig(algorithms=(algorithm,), jwks_url=issuer.jwks_url),
        ):
            assert by(rule).verify(issuer.token("bob")).subject == "bob"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_shared_secret_verifies(algorithm: str, issuer: Issuer) -> None:
    verifier = by(JwtConfig(algorithms=(algorithm,), secret=SECRET))

    assert verifier.verify(jwt.encode(issuer.claims("bob"), SECRET, algorithm)).subject == "bob"
    with pytest.raises(BearerTokenRefused, match="signature not valid"):
        verifier.verify(jwt.encode(issuer.claims("bob"), SECRET + "?", algorithm))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", AUDIENCE]},
        {"aud": "second-name"},
        {"iss": "https://second.example"},
        {"nbf": int(time.time()) + 5},
        {"lifetime": -5},
        {"iat": None},
        {"iat": time.time() + 5},
        {"jti": "x" * 2000},
        {"groups": "one"},
        {"groups": []},
    ],
    ids=[
        "audiences",
        "second-audience",
        "second-issuer",
        "nbf-in-leeway",
        "exp-in-leeway",
        "no-iat",
        "iat-in-leeway",
        "long-jti",
        "one-group",
        "no-groups",
    ],
)
def test_what_the_rules_allow_passes(
    changes: dict[str, Any], issuer: Issuer, verifier: TokenVerifier
) -> None:
    assert verifier.verify(issuer.token(**changes)).subject == "alice"


def test_a_key_without_an_id_serves_tokens_without_one(issuer: Issuer, verifier: TokenVerifier) -> None:
    assert verifier.verify(jwt.encode(issuer.claims(), issuer.keys[-1].key, "RS256")).subject == "alice"


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt", None])
def test_the_types_of_tokens(typ: str | None, issuer: Issuer, verifier: TokenVerifier) -> None:
    assert verifier.verify(issuer.keys[-1].token(issuer.claims(), typ=typ)).subject == "alice"


@pytest.mark.parametrize(("claim", "subject"), [("email", "a@example.org"), ("sub", "alice")])
def test_the_subject_is_the_claim_that_was_named(
    claim: str, subject: str, issuer: Issuer, rule: JwtConfig
) -> None:
    verifier = by(replace(rule, subject_claim=claim))

    assert verifier.verify(issuer.token("alice", email="a@example.org")).subject == subject


@pytest.mark.parametrize(
    ("forge", "reason"), [pytest.param(forge, reason, id=name) for name, forge, reason in HOSTILE]
)
def test_hostile_tokens_are_refused(
    forge: Forge, reason: str, issuer: Issuer, verifier: TokenVerifier
) -> None:
    with pytest.raises(BearerTokenRefused) as refused:
        verifier.verify(forge(issuer))

    assert refused.value.reason == reason
    assert isinstance(refused.value, BearerTokenExpired) == (reason == "expired")


def test_a_claim_that_is_required_must_be_there(issuer: Issuer, rule: JwtConfig) -> None:
    verifier = by(replace(rule, required_claims=("tenant",)))

    assert verifier.verify(issuer.token(tenant="t")).subject == "alice"
    for changes in ({}, {"tenant": None}):
        with pytest.raises(BearerTokenRefused, match="claim missing"):
            verifier.verify(issuer.token(**changes))


def test_the_public_key_is_no_shared_secret() -> None:
    key = SigningKey.make("RS256")
    verifier = by(JwtConfig(algorithms=("RS256",), public_key=pem_of(key)))
    payload = {"sub": "root", "exp": time.time() + 60}

    for algorithm in ("HS256", "RS256"):
        with pytest.raises(BearerTokenRefused):
            verifier.verify(hmac_forged({"alg": algorithm}, payload, pem_of(key).encode()))


def test_a_hopeless_token_makes_nobody_look_for_keys() -> None:
    with running_issuer() as issuer:
        verifier = by(JwtConfig(algorithms=("ES256",), jwks_url=issuer.jwks_url))
        for forge in (
            lambda i: forged({"alg": "none"}, i.claims()),
            lambda i: forged({"alg": "RS256"}, i.claims(), b"x"),
            lambda i: forged({"alg": "ES256", "crit": ["x"]}, i.claims(), b"x"),
            lambda i: "garbage",
            lambda i: "x" * 9000,
        ):
            with pytest.raises(BearerTokenRefused):
                verifier.verify(forge(issuer))

        assert issuer.fetches == 0


def test_a_refusal_says_why_to_the_client_and_nothing_of_the_token(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    token = issuer.token("canary-subject", aud="canary-audience")

    with pytest.raises(BearerTokenRefused) as refused:
        verifier.verify(token)

    challenge = refused.value.headers["WWW-Authenticate"]
    assert challenge == (
        'Bearer realm="mizuchi", error="invalid_token", error_description="audience not accepted"'
    )
    assert "canary" not in f"{refused.value}{challenge}"
    assert (refused.value.code, refused.value.status) == ("InvalidToken", 401)


def test_every_reason_is_documented() -> None:
    document = (PROJECT_ROOT / "docs" / "jwt.md").read_text()

    assert [reason for *_, reason in HOSTILE if reason not in " ".join(document.split())] == []
