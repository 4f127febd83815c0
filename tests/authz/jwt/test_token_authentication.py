"""Requests that carry a token: who they come from, and which of them are refused before any token is read."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from authz.authentication import Authenticator
from authz.config import BucketAuth, JwtConfig, TokenSource
from authz.credentials import Credential
from authz.errors import (
    AccessDenied,
    AuthError,
    BearerTokenRefused,
    BearerTokenRequired,
    MultipleAuthMechanisms,
    SignatureDoesNotMatch,
    UnsupportedSignature,
)
from authz.identity import BucketScope
from authz.jwt.rules import build_verifiers
from authz.sigv4.parts import RequestParts
from authz.sigv4.proof import EMPTY_SHA256, PayloadProof, Sha256Digest, UnsignedPayload, UnsignedTrailer
from authz.sigv4.signing import sign_headers
from authz.sts.session import SessionSealer

SECRET = "a-shared-secret-of-32-characters"
KEY = Credential("AKALICE", "alice", "an-access-key-secret", BucketScope(frozenset({"both", "own"})))
RULE = JwtConfig(
    algorithms=("HS256",),
    secret=SECRET,
    sources=(
        TokenSource("bearer"),
        TokenSource("query", "token"),
        TokenSource("header", "x-auth-token"),
    ),
    groups_claim="groups",
    claims=("tenant",),
)
# Requests are signed when the tests are collected, and a suite may run for longer than the usual 15 minutes.
A_DAY = 86_400
BUCKETS = {
    "both": BucketAuth(jwt=RULE, max_clock_skew_seconds=A_DAY),
    "own": BucketAuth(jwt=RULE, max_clock_skew_seconds=A_DAY, key_template="users/{subject}/"),
    "tokens": BucketAuth(sigv4=False, jwt=RULE),
    "header": BucketAuth(jwt=replace(RULE, sources=(TokenSource("header", "x-auth-token"),))),
    "open": BucketAuth(anonymous=True, jwt=RULE),
    "keys": BucketAuth(max_clock_skew_seconds=A_DAY),
}


class Keys:
    def find(self, access_key_id: str) -> Credential | None:
        return KEY if access_key_id == KEY.access_key_id else None


def authenticator_of(buckets: dict[str, BucketAuth]) -> Authenticator:
    sessions = SessionSealer([b"k" * 32])
    return Authenticator(Keys(), buckets, verifiers=build_verifiers(buckets), sessions=sessions)


@pytest.fixture(scope="module")
def authenticator() -> Authenticator:
    return authenticator_of(BUCKETS)


def token(subject: str = "alice", **claims: Any) -> str:
    return jwt.encode({"iss": "idp", "sub": subject, "exp": time.time() + 86_400, **claims}, SECRET)


TOKEN = token()


def put(headers: dict[str, str] | None = None, query: str = "", **more: Any) -> RequestParts:
    return RequestParts("PUT", b"/both/a.txt", query, headers or {}, "http", "gateway:8080", **more)


def bearer(value: str = TOKEN, **headers: str) -> RequestParts:
    return put({"authorization": f"Bearer {value}", **headers})


def signed(secret: str = KEY.secret, **headers: str) -> dict[str, str]:
    given = {"host": "gateway:8080", **headers}
    return given | sign_headers(
        method="PUT",
        encoded_path="/both/a.txt",
        query=(),
        headers=given,
        payload_hash="UNSIGNED-PAYLOAD",
        access_key=KEY.access_key_id,
        secret_key=secret,
        session_token=None,
        region="us-east-1",
        now=datetime.now(UTC),
    )


@pytest.mark.parametrize(
    "parts",
    [bearer(), put(query=f"x-id=PutObject&token={TOKEN}"), put({"x-auth-token": TOKEN})],
    ids=["bearer", "query", "header"],
)
def test_a_token_says_who_it_is(parts: RequestParts, authenticator: Authenticator) -> None:
    identity = authenticator.authenticate(parts, "both").identity

    assert (identity.principal, identity.method, identity.subject) == ("jwt:idp#alice", "jwt", "alice")
    assert identity.is_authenticated
    assert identity.scope == BucketScope(frozenset({"both"}))


def test_groups_and_the_claims_that_were_named_go_along(authenticator: Authenticator) -> None:
    parts = bearer(token(groups=["staff"], tenant="t1", email="a@example.org"))

    identity = authenticator.authenticate(parts, "both").identity

    assert identity.groups == ("staff",)
    assert identity.claims == {"tenant": "t1"}


@pytest.mark.parametrize(
    ("payload_hash", "proof"),
    [
        (None, UnsignedPayload()),
        ("UNSIGNED-PAYLOAD", UnsignedPayload()),
        (EMPTY_SHA256.upper(), Sha256Digest(EMPTY_SHA256)),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", UnsignedTrailer()),
    ],
    ids=["nothing", "unsigned", "digest", "trailer"],
)
def test_what_the_body_must_prove(
    payload_hash: str | None, proof: PayloadProof, authenticator: Authenticator
) -> None:
    headers = {} if payload_hash is None else {"x-amz-content-sha256": payload_hash}

    assert authenticator.authenticate(bearer(TOKEN, **headers), "both").proof == proof


def test_metadata_keeps_the_spelling_of_its_names(authenticator: Authenticator) -> None:
    parts = replace(bearer(), metadata_names=("x-amz-meta-my_key",))

    assert authenticator.authenticate(parts, "both").header_names == ("x-amz-meta-my_key",)


@pytest.mark.parametrize(
    ("parts", "bucket", "error", "reason"),
    [
        (put(), "both", BearerTokenRequired, "no token"),
        (put(), "tokens", BearerTokenRequired, "no token"),
        (put({"authorization": "Bearer"}), "both", BearerTokenRequired, "no token"),
        (put(query="token="), "both", BearerTokenRequired, "no token"),
        (put(), "keys", AccessDenied, "not signed"),
        (bearer(), "keys", UnsupportedSignature, "bearer not accepted"),
        (bearer(), "nowhere", UnsupportedSignature, "bearer not accepted"),
        (bearer(), None, UnsupportedSignature, "bearer not accepted"),
        (bearer(), "header", UnsupportedSignature, "bearer not accepted"),
        (put(query=f"token={TOKEN}"), "header", BearerTokenRequired, "no token"),
        (put({"authorization": "Basic eA=="}), "both", UnsupportedSignature, "UnsupportedSignature"),
        (bearer("garbage"), "both", BearerTokenRefused, "malformed token"),
        (bearer("garbage"), "open", BearerTokenRefused, "malformed token"),
        (put({"x-auth-token": "garbage"}), "open", BearerTokenRefused, "malformed token"),
        (put(query="token=garbage"), "open", BearerTokenRefused, "malformed token"),
        (bearer(f"{TOKEN},Bearer {TOKEN}"), "both", BearerTokenRefused, "malformed token"),
        (bearer(TOKEN, **{"x-auth-token": TOKEN}), "both", MultipleAuthMechanisms, "two tokens"),
        (
            put({"authorization": f"Bearer {TOKEN}"}, f"token={token('bob')}"),
            "both",
            MultipleAuthMechanisms,
            "two tokens",
        ),
        (put(query=f"token={TOKEN}&to%6ben={TOKEN}"), "both", MultipleAuthMechanisms, "two tokens"),
        (put(signed(**{"x-auth-token": TOKEN})), "both", MultipleAuthMechanisms, "token and signature"),
        (put(signed(), f"token={TOKEN}"), "both", MultipleAuthMechanisms, "token and signature"),
        (bearer(TOKEN, **{"x-auth-token": TOKEN}), "header", MultipleAuthMechanisms, "token and signature"),
        (
            put({"authorization": f"Bearer {TOKEN}"}, "X-Amz-Signature=x"),
            "both",
            MultipleAuthMechanisms,
            "MultipleAuthMechanisms",
        ),
        (put(signed()), "tokens", AccessDenied, "sigv4 disabled"),
        (put(signed("wrong")), "both", SignatureDoesNotMatch, "SignatureDoesNotMatch"),
        (
            bearer(TOKEN, **{"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}),
            "both",
            UnsupportedSignature,
            "UnsupportedSignature",
        ),
    ],
    ids=[
        "nothing",
        "nothing-tokens-only",
        "bearer-empty",
        "query-empty",
        "nothing-keys-only",
        "bearer-where-none-is-taken",
        "bearer-for-no-bucket",
        "bearer-for-the-service",
        "bearer-where-a-header-is-read",
        "query-where-a-header-is-read",
        "basic",
        "garbage",
        "garbage-is-not-anonymous",
        "garbage-header-is-not-anonymous",
        "garbage-query-is-not-anonymous",
        "bearer-twice",
        "bearer-and-header",
        "bearer-and-query",
        "query-twice",
        "signature-and-header",
        "signature-and-query",
        "bearer-beside-the-header-that-is-read",
        "bearer-and-presigned",
        "signature-on-tokens-only",
        "signature-wrong",
        "signed-chunks",
    ],
)
def test_refusals_of_requests(
    parts: RequestParts, bucket: str | None, error: type[AuthError], reason: str, authenticator: Authenticator
) -> None:
    with pytest.raises(error) as refused:
        authenticator.authenticate(parts, bucket)

    assert type(refused.value) is error
    assert refused.value.reason == reason


def test_a_caller_without_a_token_is_told_what_kind_to_get(authenticator: Authenticator) -> None:
    with pytest.raises(BearerTokenRequired) as refused:
        authenticator.authenticate(put(), "both")

    assert refused.value.status == 401
    assert refused.value.headers == {"WWW-Authenticate": 'Bearer realm="mizuchi"'}


def test_a_form_comes_with_a_token_beside_it(authenticator: Authenticator) -> None:
    outcome = authenticator.authenticate_form({"key": "a"}, bearer(), "both")

    assert (outcome.identity.principal, outcome.proof) == ("jwt:idp#alice", UnsignedPayload())


def test_a_signed_form_with_a_token_is_two_credentials(authenticator: Authenticator) -> None:
    fields = {
        "policy": "e30=",
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": "AKALICE/20260101/us-east-1/s3/aws4_request",
        "x-amz-date": "20260101T000000Z",
        "x-amz-signature": "0" * 64,
    }

    with pytest.raises(MultipleAuthMechanisms):
        authenticator.authenticate_form(fields, bearer(), "both")


def test_a_form_without_anything_is_asked_for_a_token(authenticator: Authenticator) -> None:
    with pytest.raises(BearerTokenRequired):
        authenticator.authenticate_form({"key": "a"}, put(), "both")


@pytest.mark.parametrize("parts", [bearer(), put(signed())], ids=["token", "access-key"])
def test_a_template_narrows_every_caller_to_keys_of_his_own(
    parts: RequestParts, authenticator: Authenticator
) -> None:
    scope = authenticator.authenticate(parts, "own").identity.scope

    assert scope.allows("own", "users/alice/x")
    assert scope.allows("own")
    for key in ("users/bob/x", "users/alice", "users/alicex/y", "x", ""):
        assert not scope.allows("own", key)
