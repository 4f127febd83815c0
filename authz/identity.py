"""Who sent a request, as the rest of the gateway sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from authz.sigv4.proof import PayloadProof

AuthMethod = Literal["sigv4", "sigv4-query", "sigv4-post", "jwt", "anonymous"]


@dataclass(frozen=True, slots=True)
class BucketScope:
    """The buckets an identity is limited to; ``names`` is None for every bucket."""

    names: frozenset[str] | None = None

    def allows(self, bucket: str) -> bool:
        return self.names is None or bucket in self.names


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated principal. Never holds a secret or a token."""

    principal: str
    method: AuthMethod
    access_key_id: str | None = None
    scope: BucketScope = field(default_factory=BucketScope)

    @property
    def is_authenticated(self) -> bool:
        """For DRF's permission classes; an anonymous identity is not authenticated."""
        return self.method != "anonymous"


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The outcome of authentication: who, how the body is proven, and which headers were signed."""

    identity: Identity
    proof: PayloadProof
    signed_headers: tuple[str, ...] = ()
