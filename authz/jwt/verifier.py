"""Verifies tokens by one bucket's rules, on djangorestframework-simplejwt's token backend.

A backend of simplejwt is good for one algorithm and one key, which rules out their confusion: one is made
for each key that could have signed the token, with the algorithm that the configuration allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwt import exceptions as pyjwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from authz.config import JwtConfig
from authz.errors import BearerTokenExpired, BearerTokenRefused

from .claims import VerifiedToken, read_claims
from .keys import KeySource, VerificationKey
from .token import UnverifiedToken, parse_token, payload_of

# The first that fits: MissingRequiredClaimError and the others are InvalidTokenErrors.
_REASONS: Mapping[type[BaseException], str] = {
    pyjwt.InvalidSignatureError: "signature not valid",
    pyjwt.ImmatureSignatureError: "not yet valid",
    pyjwt.InvalidIssuerError: "issuer not accepted",
    pyjwt.InvalidAudienceError: "audience not accepted",
    pyjwt.InvalidSubjectError: "subject not valid",
    pyjwt.MissingRequiredClaimError: "claim missing",
}


class TokenVerifier:
    """Verifies tokens by ``config`` with the keys of ``keys``. Thread-safe."""

    def __init__(self, config: JwtConfig, keys: KeySource) -> None:
        self.config = config
        self._keys = keys

    def verify(self, text: str) -> VerifiedToken:
        """Raises BearerTokenRefused, BearerTokenExpired, TokenKeysUnavailable.

        A token whose header is not acceptable, or that names another issuer, makes nobody look for keys.
        """
        token = parse_token(text, self.config.algorithms)
        payload = payload_of(text)
        self._check_issuer(payload.get("iss"))
        keys = self._keys.keys_for(token)
        if not keys:
            raise BearerTokenRefused(reason="key unknown")
        self._check(token, keys)
        return read_claims(payload, self.config)

    def _check_issuer(self, issuer: object) -> None:
        """What it claims, before it is proven: another's token is not even worth a question for keys."""
        if self.config.issuers and issuer is None:
            raise BearerTokenRefused(reason="claim missing")
        if self.config.issuers and issuer not in self.config.issuers:
            raise BearerTokenRefused(reason="issuer not accepted")

    def _check(self, token: UnverifiedToken, keys: tuple[VerificationKey, ...]) -> None:
        """By the first key whose signature it is."""
        for left, key in zip(reversed(range(len(keys))), keys, strict=True):
            try:
                return self._decode(token, key)
            except TokenBackendError as error:
                is_other_key = isinstance(error.__cause__, pyjwt.InvalidSignatureError)
                if not left or not is_other_key:
                    raise _refusal(error) from None

    def _decode(self, token: UnverifiedToken, verification: VerificationKey) -> None:
        # simplejwt's types say text, where PyJWT, to which it hands them on, takes these.
        key: Any = verification.key
        issuers: Any = self.config.issuers or None
        text: Any = token.text
        backend = TokenBackend(
            token.algorithm,
            signing_key=key,
            verifying_key=key,
            audience=self.config.audiences or None,
            issuer=issuers,
            leeway=self.config.leeway_seconds,
        )
        backend.decode(text)


def _refusal(error: TokenBackendError) -> BearerTokenRefused:
    if isinstance(error, TokenBackendExpiredToken):
        return BearerTokenExpired(reason="expired")
    fitting = (reason for kind, reason in _REASONS.items() if isinstance(error.__cause__, kind))
    return BearerTokenRefused(reason=next(fitting, "claim not valid"))
