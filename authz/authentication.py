"""Finds out who sent a request, from its head alone.

``Authenticator`` is the adapter between the pure cores (SigV4, tokens), the access keys and each bucket's
rules.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from authz.apps import authz_app
from authz.config import BucketAuth, JwtConfig
from authz.credentials import Credential, CredentialStore
from authz.doctor import SignatureDoctor
from authz.encryption import SecretUnreadable
from authz.errors import (
    AccessDenied,
    BearerTokenRequired,
    InvalidAccessKeyId,
    MultipleAuthMechanisms,
    SignatureDoesNotMatch,
    UnsupportedSignature,
)
from authz.identity import Authenticated, AuthMethod, BucketScope, Identity
from authz.jwt.principal import token_principal
from authz.jwt.sources import presented_tokens
from authz.key_template import own_scope
from authz.sigv4.authorization import Signed, parse_authorization, parse_post_form
from authz.sigv4.parts import RequestParts
from authz.sigv4.proof import PayloadProof, UnsignedPayload
from authz.sigv4.verify import payload_proof, verify, verify_post_policy
from authz.stages import auth_stage
from authz.sts.caller import session_identity
from authz.sts.session import SessionKeys

if TYPE_CHECKING:
    from authz.jwt.verifier import TokenVerifier

logger = logging.getLogger(__name__)

_METHODS: Mapping[str, AuthMethod] = {"header": "sigv4", "query": "sigv4-query", "post": "sigv4-post"}
_ANONYMOUS = Identity(principal="anonymous", method="anonymous")
_NO_RULES = BucketAuth()


class KeyFinder(Protocol):
    """Where access keys are found."""

    def find(self, access_key_id: str) -> Credential | None: ...


class SessionOpener(Protocol):
    """What opens session tokens."""

    def open(self, access_key_id: str, token: str) -> SessionKeys: ...


@dataclass(slots=True)
class Caller:
    """Who a request says it comes from, and the secret that its signature must prove."""

    identity: Identity
    secret: str = field(repr=False)


class Authenticator:
    """Authenticates requests by the rules of the bucket they name. Thread-safe."""

    def __init__(
        self,
        keys: KeyFinder,
        buckets: Mapping[str, BucketAuth],
        *,
        verifiers: Mapping[JwtConfig, TokenVerifier],
        sessions: SessionOpener,
        doctor: SignatureDoctor | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._buckets = buckets
        self._verifiers = verifiers
        self._sessions = sessions
        self._doctor = doctor or SignatureDoctor()
        self._clock = clock

    def authenticate(self, parts: RequestParts, bucket: str | None) -> Authenticated:
        """Raises an AuthError; knowing nothing about a request is AccessDenied."""
        rules = self._rules(bucket)
        if tokens := _tokens(parts, rules):
            with auth_stage("auth.jwt") as current:
                _refuse_second(parts, rules, parse_authorization(parts))
                proof = payload_proof(parts.headers.get("x-amz-content-sha256"), None)
                identity = self._bearer(tokens, bucket, rules, current)
                return Authenticated(identity, proof, parts.metadata_names)
        with auth_stage("auth.sigv4") as current:
            signed = parse_authorization(parts)
            if signed is None:
                return self._unsigned(parts, rules, current)
            caller = self._caller(signed, bucket, rules)
            proof = self._verified(parts, signed, caller, rules)
            return Authenticated(_told(caller, current), proof, signed.signed_headers)

    def authenticate_form(
        self, fields: Mapping[str, str], parts: RequestParts, bucket: str | None
    ) -> Authenticated:
        """The same for a POST form, whose policy is what was signed. A token comes beside the form."""
        rules = self._rules(bucket)
        if tokens := _tokens(parts, rules):
            with auth_stage("auth.jwt") as current:
                _refuse_second(parts, rules, parse_post_form(fields))
                return Authenticated(self._bearer(tokens, bucket, rules, current), UnsignedPayload())
        with auth_stage("auth.sigv4") as current:
            signed = parse_post_form(fields)
            if signed is None:
                return _anonymous(rules, UnsignedPayload(), current)
            caller = self._caller(signed, bucket, rules)
            skew = rules.max_clock_skew_seconds
            verify_post_policy(
                fields["policy"], signed, caller.secret, now=self._clock(), max_clock_skew_seconds=skew
            )
            return Authenticated(_told(caller, current), UnsignedPayload(), signed.signed_headers)

    def _rules(self, bucket: str | None) -> BucketAuth:
        return _NO_RULES if bucket is None else self._buckets.get(bucket, _NO_RULES)

    def _bearer(
        self, tokens: tuple[str, ...], bucket: str | None, rules: BucketAuth, current: auth_stage
    ) -> Identity:
        current.set("mizuchi.auth.method", "jwt")
        if len(tokens) > 1:
            raise MultipleAuthMechanisms(reason="two tokens")
        assert rules.jwt is not None
        assert bucket is not None
        token = self._verifiers[rules.jwt].verify(tokens[0])
        principal = token_principal(token.issuer, token.subject)
        current.prove("jwt", principal)
        return Identity(
            principal,
            "jwt",
            scope=own_scope(BucketScope(frozenset({bucket})), bucket, rules.key_template, token.subject),
            subject=token.subject,
            groups=token.groups,
            claims=token.claims,
        )

    def _unsigned(self, parts: RequestParts, rules: BucketAuth, current: auth_stage) -> Authenticated:
        if parts.headers.get("authorization") and not _reads_bearer(rules):
            raise UnsupportedSignature(
                "This bucket does not take bearer tokens in the Authorization header. Sign with "
                "AWS4-HMAC-SHA256 (Signature Version 4).",
                reason="bearer not accepted",
            )
        proof = payload_proof(parts.headers.get("x-amz-content-sha256"), None)
        return _anonymous(rules, proof, current, parts.metadata_names)

    def _caller(self, signed: Signed, bucket: str | None, rules: BucketAuth) -> Caller:
        if not rules.sigv4:
            raise AccessDenied(
                "Access Denied: this bucket does not take AWS signatures.", reason="sigv4 disabled"
            )
        if signed.session_token is not None:
            return self._session_caller(signed, signed.session_token, bucket, rules)
        credential = self._credential(signed.access_key_id)
        scope = credential.scope
        if bucket is not None:
            scope = own_scope(scope, bucket, rules.key_template, credential.principal)
        identity = Identity(credential.principal, _METHODS[signed.source], credential.access_key_id, scope)
        return Caller(identity, credential.secret)

    def _session_caller(self, signed: Signed, token: str, bucket: str | None, rules: BucketAuth) -> Caller:
        opened = self._sessions.open(signed.access_key_id, token)
        identity = session_identity(
            opened.session,
            access_key_id=signed.access_key_id,
            method=_METHODS[signed.source],
            bucket=bucket,
            rules=rules,
            now=self._clock(),
        )
        return Caller(identity, opened.secret)

    def _credential(self, access_key_id: str) -> Credential:
        try:
            credential = self._keys.find(access_key_id)
        except SecretUnreadable:
            logger.exception("access key %s is unusable: check security.secret_keys", access_key_id)
            credential = None
        if credential is None:
            raise InvalidAccessKeyId(reason="unknown key")
        return credential

    def _verified(
        self, parts: RequestParts, signed: Signed, caller: Caller, rules: BucketAuth
    ) -> PayloadProof:
        now, skew = self._clock(), rules.max_clock_skew_seconds
        try:
            return verify(parts, signed, caller.secret, now=now, max_clock_skew_seconds=skew)
        except SignatureDoesNotMatch:
            self._doctor.consult(parts, signed, caller.secret, now=now, max_clock_skew_seconds=skew)
            raise


def configured_authenticator() -> Authenticator:
    """An authenticator by this process's configuration."""
    room = authz_app()
    return Authenticator(
        CredentialStore(room.config.access_keys, room.secret_box),
        room.config.buckets,
        verifiers=room.verifiers,
        sessions=room.session_sealer,
        doctor=SignatureDoctor(note=room.diagnoses.note),
    )


def _tokens(parts: RequestParts, rules: BucketAuth) -> tuple[str, ...]:
    return presented_tokens(parts, rules.jwt.sources) if rules.jwt else ()


def _refuse_second(parts: RequestParts, rules: BucketAuth, signed: Signed | None) -> None:
    """A signature beside a token, or an Authorization header that the bucket does not read."""
    if signed is not None or (parts.headers.get("authorization") and not _reads_bearer(rules)):
        raise MultipleAuthMechanisms(reason="token and signature")


def _reads_bearer(rules: BucketAuth) -> bool:
    return rules.jwt is not None and any(source.kind == "bearer" for source in rules.jwt.sources)


def _anonymous(
    rules: BucketAuth, proof: PayloadProof, current: auth_stage, header_names: tuple[str, ...] = ()
) -> Authenticated:
    if not rules.anonymous:
        if rules.jwt is not None:
            raise BearerTokenRequired(reason="no token")
        raise AccessDenied(
            "Access Denied: the request is not signed. Sign it with an access key of this gateway.",
            reason="not signed",
        )
    current.admit_anonymous()
    return Authenticated(_ANONYMOUS, proof, header_names)


def _told(caller: Caller, current: auth_stage) -> Identity:
    """The identity, once it is proven, told on the span."""
    current.prove(caller.identity.method, caller.identity.principal)
    return caller.identity
