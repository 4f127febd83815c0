"""The name under which a token's bearer owns uploads and receipts, unique over all ways to authenticate."""

from __future__ import annotations

import hashlib

PREFIX = "jwt:"
"""What no access key's principal may begin with."""

MAX_CHARACTERS = 255


def token_principal(issuer: str, subject: str) -> str:
    """``jwt:<issuer>#<subject>``; a hash of it when that is too long for a record. The subject begins after
    the first ``#``: one in the issuer is percent-encoded."""
    encoded = issuer.replace("%", "%25").replace("#", "%23")
    principal = f"{PREFIX}{encoded}#{subject}"
    if len(principal) <= MAX_CHARACTERS:
        return principal
    return f"{PREFIX}sha256:{hashlib.sha256(principal.encode()).hexdigest()}"


def token_subject(principal: str) -> str | None:
    """The subject in a token's principal; None in any other, and where only a hash of it is left."""
    before, sign, subject = principal.partition("#")
    return subject if sign and before.startswith(PREFIX) else None
