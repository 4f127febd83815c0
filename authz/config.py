"""What the authz room is told at start: keys from the configuration and each bucket's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from authz.identity import BucketScope


@dataclass(frozen=True, slots=True)
class ConfiguredKey:
    """An access key from config.yaml."""

    access_key_id: str
    principal: str
    secret_access_key: str = field(repr=False)
    scope: BucketScope = field(default_factory=BucketScope)


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where a request may carry a JWT: ``Authorization: Bearer``, a query parameter, or a header, by name."""

    kind: Literal["bearer", "query", "header"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class JwksConfig:
    """How a set of keys is fetched. Keys older than ``refresh_seconds`` are fetched anew; a key id that is
    not among them makes them be fetched too, at most once in ``refetch_seconds``. While the endpoint is
    down they serve until they are older than ``stale_seconds``."""

    timeout_seconds: float = 3.0
    refresh_seconds: float = 300.0
    refetch_seconds: float = 10.0
    stale_seconds: float = 3600.0
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class JwtConfig:
    """Which JSON Web Tokens a bucket takes. One of ``secret``, ``public_key`` (PEM) and ``jwks_url`` is set.

    ``issuers`` and ``audiences`` empty: not asked for. ``claims`` are the names that policy engines see.
    """

    algorithms: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)
    public_key: str | None = None
    jwks_url: str | None = None
    jwks: JwksConfig = JwksConfig()
    issuers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    leeway_seconds: float = 30.0
    required_claims: tuple[str, ...] = ()
    subject_claim: str = "sub"
    groups_claim: str | None = None
    claims: tuple[str, ...] = ()
    sources: tuple[TokenSource, ...] = (TokenSource("bearer"),)


@dataclass(frozen=True, slots=True)
class BucketAuth:
    """How a bucket's callers may prove who they are. Keys of an authenticated caller must begin with
    ``key_template``, in which ``{subject}`` stands for who it is; None: any key. ``browser_upload``: staff
    may, by the sessions of the upload page."""

    sigv4: bool = True
    max_clock_skew_seconds: int = 900
    anonymous: bool = False
    jwt: JwtConfig | None = None
    key_template: str | None = None
    browser_upload: bool = False


@dataclass(frozen=True, slots=True)
class OpaConfig:
    """An Open Policy Agent: its data API under ``url``; ``path`` names the decision. ``timeout_seconds`` is
    for a whole answer, connecting included. ``cache_ttl_seconds`` 0: every question is asked."""

    url: str
    path: str = "/v1/data/mizuchi/allow"
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_seconds: float = 2.0
    cache_ttl_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class OpenFgaConfig:
    """An OpenFGA store. ``objects``, ``user`` and ``group`` are templates; the relation must hold for one of
    the objects. ``relations`` by S3 operation or action come before ``relation``. With ``group``, the groups
    of the caller go along as contextual tuples that make it their ``group_relation``."""

    url: str
    store_id: str
    model_id: str | None = None
    relation: str = "writer"
    relations: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[str, ...] = ("bucket:{bucket}",)
    user: str = "user:{subject}"
    group: str | None = None
    group_relation: str = "member"
    api_token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout_seconds: float = 2.0
    cache_ttl_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class PolicyBreakerConfig:
    """After so many failures on end an engine is not asked for a while; then one question tries it."""

    failures: int = 5
    reset_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """Whom to ask whether an authenticated caller may, and how answers combine. ``shadow`` asks and records,
    and never refuses. ``fails_open``: an engine that does not answer counts as none configured."""

    mode: Literal["all_of", "any_of", "shadow"] = "all_of"
    opa: OpaConfig | None = None
    openfga: OpenFgaConfig | None = None
    fails_open: bool = False
    breaker: PolicyBreakerConfig = PolicyBreakerConfig()


@dataclass(frozen=True, slots=True)
class AuthzConfig:
    """Everything the authz room needs to know. ``encryption_keys`` (32 bytes each): the first encrypts
    access key secrets at rest, all decrypt; ``session_keys`` do the same for sessions."""

    access_keys: tuple[ConfiguredKey, ...]
    buckets: Mapping[str, BucketAuth]
    encryption_keys: tuple[bytes, ...] = field(repr=False)
    session_keys: tuple[bytes, ...] = field(repr=False)
    max_session_seconds: int = 3600
    policies: Mapping[str, PolicyConfig] = field(default_factory=dict)
