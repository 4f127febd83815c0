"""Who sent a request, as the rest of the gateway sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from authz.sigv4.proof import PayloadProof

AuthMethod = Literal["sigv4", "sigv4-query", "sigv4-post", "jwt", "anonymous"]


@dataclass(frozen=True, slots=True)
class BucketScope:
    """Where an identity may upload: buckets by ``names`` (None: every bucket), and in a bucket named in
    ``prefixes`` only keys that begin with one of its prefixes."""

    names: frozenset[str] | None = None
    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def allows(self, bucket: str, key: str | None = None) -> bool:
        """``key`` is None for what concerns a bucket as a whole."""
        if self.names is not None and bucket not in self.names:
            return False
        prefixes = self.prefixes.get(bucket)
        return prefixes is None or key is None or key.startswith(prefixes)

    def within(self, bucket: str, prefix: str) -> BucketScope:
        """The same scope, but in ``bucket`` only what begins with ``prefix`` too."""
        given = self.prefixes.get(bucket, ("",))
        narrower = tuple(
            max(each, prefix, key=len) for each in given if each.startswith(prefix) or prefix.startswith(each)
        )
        return BucketScope(self.names, {**self.prefixes, bucket: narrower})


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated principal. Never holds a secret or a token.

    ``principal`` owns uploads in progress and receipts: unique over all ways to authenticate.
    ``subject`` is who it is for templates and policy engines, ``groups`` and ``claims`` are what its token
    says more, as far as the configuration lets it through.
    """

    principal: str
    method: AuthMethod
    access_key_id: str | None = None
    scope: BucketScope = field(default_factory=BucketScope)
    subject: str = ""
    groups: tuple[str, ...] = ()
    claims: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.subject:
            object.__setattr__(self, "subject", self.principal)

    @property
    def is_authenticated(self) -> bool:
        """For DRF's permission classes; an anonymous identity is not authenticated."""
        return self.method != "anonymous"


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The outcome of authentication: who, and how the body is proven. ``header_names`` are names as the
    client spelled them, which the framework's reading loses: of the headers that were signed, or of an
    unsigned request's user metadata."""

    identity: Identity
    proof: PayloadProof
    header_names: tuple[str, ...] = ()
