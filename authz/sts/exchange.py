"""Exchanges a token for a session, and says what a session is good for."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from authz.config import BucketAuth, JwtConfig
from authz.credentials import new_access_key_id
from authz.errors import AuthError, BearerTokenExpired, TokenKeysUnavailable
from authz.jwt.claims import VerifiedToken
from authz.jwt.principal import token_principal

from .errors import (
    ExchangeDenied,
    IdentityTokenExpired,
    IdentityTokenRefused,
    InvalidParameter,
    IssuerUnreachable,
    StsError,
)
from .request import DEFAULT_DURATION_SECONDS, AssumeRole
from .session import Grant, Session, SessionSealer

if TYPE_CHECKING:
    from authz.jwt.verifier import TokenVerifier


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A session with its keys. ``token`` was exchanged for it, ``expires_at`` is Unix time in seconds."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: int
    token: VerifiedToken

    @property
    def principal(self) -> str:
        """Who owns what the session uploads."""
        return token_principal(self.token.issuer, self.token.subject)


class TokenExchange:
    """Exchanges tokens by the rules of the buckets that take both tokens and signatures. Thread-safe."""

    def __init__(
        self,
        buckets: Mapping[str, BucketAuth],
        verifiers: Mapping[JwtConfig, TokenVerifier],
        sealer: SessionSealer,
        *,
        max_duration_seconds: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rules = {
            name: auth.jwt for name, auth in buckets.items() if auth.jwt is not None and auth.sigv4
        }
        self._verifiers = verifiers
        self._sealer = sealer
        self._max_duration_seconds = max_duration_seconds
        self._clock = clock

    def assume_role(self, request: AssumeRole) -> IssuedSession:
        """A session for the buckets whose rules take the token. Raises StsErrors.

        It may outlive the token, as with AWS; how long is limited by ``max_duration_seconds``.
        """
        duration = self._duration(request)
        accepted = self._accepted(request.token)
        if not any(
            rule in accepted and (request.prefixes is None or bucket in request.prefixes)
            for bucket, rule in self._rules.items()
        ):
            raise ExchangeDenied(reason="no bucket")
        session = Session(
            int(self._clock()) + duration,
            tuple(
                Grant(fingerprint(rule), token.issuer, token.subject, token.groups, token.claims)
                for rule, token in accepted.items()
            ),
            request.prefixes,
        )
        access_key_id = new_access_key_id()
        session_token, secret = self._sealer.seal(access_key_id, session)
        return IssuedSession(
            access_key_id, secret, session_token, session.expires_at, next(iter(accepted.values()))
        )

    def _duration(self, request: AssumeRole) -> int:
        longest = self._max_duration_seconds
        if request.duration_seconds is None:
            return min(DEFAULT_DURATION_SECONDS, longest)
        if request.duration_seconds > longest:
            raise InvalidParameter(f"DurationSeconds is more than this gateway allows: at most {longest}.")
        return request.duration_seconds

    def _accepted(self, token: str) -> Mapping[JwtConfig, VerifiedToken]:
        """What the token says by each rule that takes it, each rule asked once."""
        accepted: dict[JwtConfig, VerifiedToken] = {}
        refusals: list[AuthError] = []
        for rule in dict.fromkeys(self._rules.values()):
            try:
                accepted[rule] = self._verifiers[rule].verify(token)
            except AuthError as error:
                refusals.append(error)
        if not accepted:
            raise _refusal(refusals)
        return accepted


def _refusal(refusals: list[AuthError]) -> StsError:
    """The most telling of what the rules said."""
    for kind, answer in (
        (BearerTokenExpired, IdentityTokenExpired),
        (TokenKeysUnavailable, IssuerUnreachable),
    ):
        for error in refusals:
            if isinstance(error, kind):
                return answer(reason=error.reason)
    if not refusals:
        return ExchangeDenied(reason="no bucket")
    reasons = {error.reason for error in refusals}
    reason = reasons.pop() if len(reasons) == 1 else "accepted nowhere"
    return IdentityTokenRefused(f"{IdentityTokenRefused.message} Reason: {reason}.", reason=reason)


def fingerprint(rule: JwtConfig) -> str:
    """Names what a bucket takes tokens by: who may issue them, and which claims say what. A session is good
    only where that has not changed since."""
    return hashlib.sha256(json.dumps(list(_told_apart_by(rule))).encode()).hexdigest()[:16]


def _told_apart_by(rule: JwtConfig) -> Iterator[object]:
    yield from (rule.algorithms, rule.secret, rule.public_key, rule.jwks_url, rule.issuers, rule.audiences)
    yield from (rule.required_claims, rule.subject_claim, rule.groups_claim, rule.claims)
