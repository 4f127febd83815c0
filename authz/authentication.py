"""Finds out who sent a request, from its head alone.

``Authenticator`` is the adapter between the pure SigV4 core, the access keys and each bucket's rules;
``RequestAuthentication`` is its face towards DRF.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from authz.apps import authz_app
from authz.config import BucketAuth
from authz.credentials import Credential, CredentialStore
from authz.encryption import SecretUnreadable
from authz.errors import (
    AccessDenied,
    AuthError,
    InvalidAccessKeyId,
    InvalidToken,
    SignatureDoesNotMatch,
    UnsupportedSignature,
)
from authz.identity import Authenticated, AuthMethod, Identity
from authz.sigv4.authorization import Signed, parse_authorization, parse_post_form
from authz.sigv4.diagnosis import HostAlternatives, diagnose
from authz.sigv4.parts import RequestParts
from authz.sigv4.proof import PayloadProof, UnsignedPayload
from authz.sigv4.verify import payload_proof, verify, verify_post_policy
from tracing_app.api import Stage, stage, subject_hash, trace_id

doctor = logging.getLogger("authz.sigv4.doctor")

_METHODS: Mapping[str, AuthMethod] = {"header": "sigv4", "query": "sigv4-query", "post": "sigv4-post"}
_ANONYMOUS = Identity(principal="anonymous", method="anonymous")
_NO_RULES = BucketAuth()
_DOCTOR_SECONDS = 0.1


class KeyFinder(Protocol):
    """Where access keys are found."""

    def find(self, access_key_id: str) -> Credential | None: ...


class Authenticator:
    """Authenticates requests by the rules of the bucket they name. Thread-safe."""

    def __init__(
        self,
        keys: KeyFinder,
        buckets: Mapping[str, BucketAuth],
        *,
        known_hosts: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._buckets = buckets
        self._known_hosts = tuple(known_hosts)
        self._clock = clock
        self._doctor_free_at = 0.0

    def authenticate(self, parts: RequestParts, bucket: str | None) -> Authenticated:
        """Raises an AuthError; knowing nothing about a request is AccessDenied."""
        rules = self._rules(bucket)
        with _auth_stage() as current:
            signed = parse_authorization(parts)
            if signed is None:
                return self._unsigned(parts, rules, current)
            credential = self._credential(signed, rules)
            proof = self._verified(parts, signed, credential, rules)
            return _authenticated(signed, credential, proof, current)

    def authenticate_form(self, fields: Mapping[str, str], bucket: str | None) -> Authenticated:
        """The same for a POST form, whose policy is what was signed."""
        rules = self._rules(bucket)
        with _auth_stage() as current:
            signed = parse_post_form(fields)
            if signed is None:
                return self._anonymous(rules, UnsignedPayload(), current)
            credential = self._credential(signed, rules)
            skew = rules.max_clock_skew_seconds
            verify_post_policy(
                fields["policy"], signed, credential.secret, now=self._clock(), max_clock_skew_seconds=skew
            )
            return _authenticated(signed, credential, UnsignedPayload(), current)

    def _rules(self, bucket: str | None) -> BucketAuth:
        return _NO_RULES if bucket is None else self._buckets.get(bucket, _NO_RULES)

    def _unsigned(self, parts: RequestParts, rules: BucketAuth, current: Stage) -> Authenticated:
        authorization = parts.headers.get("authorization")
        if authorization:
            raise UnsupportedSignature(reason="unsupported scheme")
        return self._anonymous(rules, payload_proof(parts.headers.get("x-amz-content-sha256"), None), current)

    def _anonymous(self, rules: BucketAuth, proof: PayloadProof, current: Stage) -> Authenticated:
        if not rules.anonymous:
            raise AccessDenied(
                "Access Denied: the request is not signed. Sign it with an access key of this gateway.",
                reason="not signed",
            )
        current.set("mizuchi.auth.method", "anonymous")
        return Authenticated(_ANONYMOUS, proof)

    def _credential(self, signed: Signed, rules: BucketAuth) -> Credential:
        if not rules.sigv4:
            raise AccessDenied(
                "Access Denied: this bucket does not take AWS signatures.", reason="sigv4 disabled"
            )
        if signed.session_token is not None:
            raise InvalidToken(reason="session token")
        try:
            credential = self._keys.find(signed.access_key_id)
        except SecretUnreadable:
            doctor.exception("access key %s is unusable: check security.secret_keys", signed.access_key_id)
            credential = None
        if credential is None:
            raise InvalidAccessKeyId(reason="unknown key")
        return credential

    def _verified(
        self, parts: RequestParts, signed: Signed, credential: Credential, rules: BucketAuth
    ) -> PayloadProof:
        now = self._clock()
        try:
            return verify(
                parts,
                signed,
                credential.secret,
                now=now,
                max_clock_skew_seconds=rules.max_clock_skew_seconds,
            )
        except SignatureDoesNotMatch:
            if self._is_doctor_free(now):
                self._consult_doctor(parts, signed, credential, now, rules.max_clock_skew_seconds)
            raise

    def _is_doctor_free(self, now: float) -> bool:
        """A diagnosis costs milliseconds: guessing signatures must not buy them without end."""
        is_free = now >= self._doctor_free_at
        if is_free:
            self._doctor_free_at = now + _DOCTOR_SECONDS
        return is_free

    def _consult_doctor(
        self, parts: RequestParts, signed: Signed, credential: Credential, now: float, skew: int
    ) -> None:
        hosts = HostAlternatives(domains=self._known_hosts)
        diagnosis = diagnose(
            parts, signed, credential.secret, now=now, alternatives=hosts, max_clock_skew_seconds=skew
        )
        doctor.warning(
            "signature of request %s does not match; likely cause: %s\n"
            "canonical request as computed:\n%s\nstring to sign as computed:\n%s",
            trace_id(),
            "; ".join(diagnosis.causes),
            diagnosis.canonical_request,
            diagnosis.string_to_sign,
        )


class RequestAuthentication(BaseAuthentication):
    """DRF's face of an authentication prepared by the view; ``request.auth`` is the Authenticated."""

    def __init__(self, authenticate: Callable[[], Authenticated]) -> None:
        self._authenticate = authenticate

    def authenticate(self, request: Request) -> tuple[Identity, Authenticated]:
        authenticated = self._authenticate()
        return authenticated.identity, authenticated


def configured_authenticator() -> Authenticator:
    """An authenticator by this process's configuration."""
    room = authz_app()
    return Authenticator(CredentialStore(room.config.access_keys, room.secret_box), room.config.buckets)


def _authenticated(
    signed: Signed, credential: Credential, proof: PayloadProof, current: Stage
) -> Authenticated:
    method = _METHODS[signed.source]
    current.set("mizuchi.auth.method", method)
    current.set("user.hash", subject_hash(credential.principal))
    identity = Identity(credential.principal, method, credential.access_key_id, credential.scope)
    return Authenticated(identity, proof, signed.signed_headers)


@contextmanager
def _auth_stage() -> Iterator[Stage]:
    """A stage ``auth.sigv4`` that carries the outcome and the reason of a refusal."""
    with stage("auth.sigv4") as current:
        try:
            yield current
        except AuthError as error:
            current.set("mizuchi.auth.outcome", "failure")
            current.set("mizuchi.auth.reason", error.reason)
            raise
        current.set("mizuchi.auth.outcome", "success")
