from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from authz.authentication import Authenticator
from authz.config import BucketAuth
from authz.credentials import Credential
from authz.doctor import SignatureDoctor
from authz.encryption import SecretUnreadable
from authz.errors import (
    AccessDenied,
    AuthError,
    InvalidAccessKeyId,
    InvalidToken,
    RequestExpired,
    SignatureDoesNotMatch,
    UnsupportedSignature,
)
from authz.identity import BucketScope
from authz.jwt.rules import build_verifiers
from authz.sigv4.canonical import canonical_request
from authz.sigv4.parts import RequestParts
from authz.sigv4.proof import EMPTY_SHA256, Sha256Digest, UnsignedPayload
from authz.sigv4.scope import CredentialScope
from authz.sigv4.signing import signature, signing_key, string_to_sign
from authz.sts.session import SessionSealer
from tracing_app.api import trace

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY = Credential("AKALICE", "alice", SECRET, BucketScope(frozenset({"uploads"})))
BUCKETS = {
    "uploads": BucketAuth(),
    "open": BucketAuth(anonymous=True),
    "jwt-only": BucketAuth(sigv4=False),
}


class Keys:
    def find(self, access_key_id: str) -> Credential | None:
        if access_key_id == "AKBROKEN":
            raise SecretUnreadable("unreadable")
        return KEY if access_key_id == KEY.access_key_id else None


def authenticator_of(buckets: dict[str, BucketAuth], **more: Any) -> Authenticator:
    sessions = SessionSealer([b"k" * 32])
    return Authenticator(Keys(), buckets, verifiers=build_verifiers(buckets), sessions=sessions, **more)


@pytest.fixture
def authenticator() -> Authenticator:
    return authenticator_of(BUCKETS)


def sign(
    key_id: str = "AKALICE", secret: str = SECRET, *, token: str | None = None, query: bool = False
) -> RequestParts:
    body = b"" if query else b"body"  # botocore would read a presigned body as a form
    request = AWSRequest("PUT", "http://gateway:8080/uploads/a.txt", data=body)
    credentials = Credentials(key_id, secret, token)
    signer = S3SigV4QueryAuth if query else S3SigV4Auth
    signer(credentials, "s3", "us-east-1").add_auth(request)
    url = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return RequestParts("PUT", b"/uploads/a.txt", url.query, headers, "http", "gateway:8080")


def test_a_signed_header_gives_identity_and_proof(authenticator: Authenticator) -> None:
    outcome = authenticator.authenticate(sign(), "uploads")

    assert (outcome.identity.principal, outcome.identity.method) == ("alice", "sigv4")
    assert outcome.identity.scope == KEY.scope
    assert isinstance(outcome.proof, Sha256Digest)
    assert "host" in outcome.header_names


def test_a_presigned_url_is_another_method_with_an_unsigned_payload(authenticator: Authenticator) -> None:
    outcome = authenticator.authenticate(sign(query=True), "uploads")

    assert outcome.identity.method == "sigv4-query"
    assert outcome.proof == UnsignedPayload()


@pytest.mark.parametrize(
    ("parts", "bucket", "error"),
    [
        (partial(sign, secret="wrong"), "uploads", SignatureDoesNotMatch),
        (partial(sign, "AKNOBODY"), "uploads", InvalidAccessKeyId),
        (partial(sign, "AKBROKEN"), "uploads", InvalidAccessKeyId),
        (partial(sign, token="session"), "uploads", InvalidToken),
        (sign, "jwt-only", AccessDenied),
        (partial(RequestParts, "PUT", b"/uploads/a", "", {}), "uploads", AccessDenied),
        (partial(RequestParts, "PUT", b"/", "", {}), None, AccessDenied),
        (
            partial(RequestParts, "PUT", b"/uploads/a", "", {"authorization": "Basic eA=="}),
            "uploads",
            UnsupportedSignature,
        ),
        (
            partial(RequestParts, "PUT", b"/open/a", "", {"authorization": "Bearer x"}),
            "open",
            UnsupportedSignature,
        ),
    ],
    ids=[
        "wrong secret",
        "unknown key",
        "unreadable secret",
        "session token",
        "sigv4 disabled",
        "nothing",
        "no bucket",
        "basic",
        "bearer is not anonymous",
    ],
)
def test_refusals(
    authenticator: Authenticator,
    parts: Callable[[], RequestParts],
    bucket: str | None,
    error: type[AuthError],
) -> None:
    """Requests are signed when it is their turn: those of long ago would be refused for their age."""
    with pytest.raises(error):
        authenticator.authenticate(parts(), bucket)


def test_a_request_without_a_payload_hash_signs_no_body(authenticator: Authenticator) -> None:
    """curl 7.88, Debian 12's, sends none and signs the hash of no body."""
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": "gateway:8080", "x-amz-date": date}
    parts = RequestParts("PUT", b"/uploads/a.txt", "", headers, "http", "gateway:8080")
    scope = CredentialScope(date[:8], "us-east-1", "s3")
    canonical = canonical_request(parts, ("host", "x-amz-date"), EMPTY_SHA256, is_presigned=False)
    signed = signature(signing_key(SECRET, scope), string_to_sign(date, scope, canonical))
    authorization = (
        f"AWS4-HMAC-SHA256 Credential=AKALICE/{scope.text}, SignedHeaders=host;x-amz-date, Signature={signed}"
    )
    sent = replace(parts, headers={**headers, "authorization": authorization})

    assert authenticator.authenticate(sent, "uploads").proof == UnsignedPayload()


def test_a_presigned_url_expires() -> None:
    late = authenticator_of(BUCKETS, clock=lambda: 4_000_000_000.0)

    with pytest.raises(RequestExpired):
        late.authenticate(sign(query=True), "uploads")


def test_nobody_is_someone_where_anonymous_is_allowed(authenticator: Authenticator) -> None:
    outcome = authenticator.authenticate(RequestParts("PUT", b"/open/a", "", {}), "open")

    assert outcome.identity.principal == "anonymous"
    assert not outcome.identity.is_authenticated


def test_a_wrong_signature_is_refused_where_anonymous_is_allowed(authenticator: Authenticator) -> None:
    with pytest.raises(SignatureDoesNotMatch):
        authenticator.authenticate(sign(secret="wrong"), "open")


def test_the_doctor_tells_the_operator_why_and_no_secret(
    authenticator: Authenticator, caplog: pytest.LogCaptureFixture
) -> None:
    behind_proxy = replace(sign(), host="internal:9000")
    behind_proxy = replace(behind_proxy, headers={**behind_proxy.headers, "x-forwarded-host": "gateway:8080"})

    with pytest.raises(SignatureDoesNotMatch) as refusal:
        authenticator.authenticate(behind_proxy, "uploads")

    assert "gateway:8080" in caplog.text
    assert "trusted_proxies" in caplog.text
    assert "canonical request" in caplog.text
    signature = behind_proxy.headers["authorization"].rpartition("=")[2]
    for secret in (SECRET, signature):
        assert secret not in caplog.text
    assert "gateway:8080" not in refusal.value.message


def test_the_doctor_is_told_on_whose_request_it_was_and_what_is_wrong() -> None:
    noted: list[tuple[Any, ...]] = []
    doctor = SignatureDoctor(note=lambda *diagnosed: noted.append(diagnosed))
    authenticator = authenticator_of(BUCKETS, doctor=doctor)

    with trace("0af7651916cd43dd8448eb211c80319c"), pytest.raises(SignatureDoesNotMatch):
        authenticator.authenticate(sign(secret="wrong"), "uploads")

    ((diagnosis, request_id, access_key_id, now),) = noted
    assert [cause.kind for cause in diagnosis.causes] == ["secret"]
    assert (request_id, access_key_id) == ("0af7651916cd43dd8448eb211c80319c", "AKALICE")
    assert now == pytest.approx(time.time(), abs=60)


def test_guessing_signatures_does_not_buy_diagnoses_without_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    authenticator = authenticator_of(BUCKETS)
    for _ in range(20):
        with pytest.raises(SignatureDoesNotMatch):
            authenticator.authenticate(sign(secret="wrong"), "uploads")

    assert 1 <= caplog.text.count("likely cause") < 10
