"""The JSON Web Tokens that a bucket takes, and the sessions they are exchanged for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, model_validator

from authz.config import TokenSource
from tracing_app.loopback import is_loopback
from uploads.s3.operations import QUERY_KEYS

from .places import Places
from .storages import ExistingFile
from .values import Listed, NotEmpty, Nullable, Number, OneOrMany, Section, Whole, matching

Algorithm = Literal[
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]

_MIN_DIFFERENT = 10
_SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""RFC 7518, 3.2: a key as long as the hash."""

_PEM_HINTS = {
    "PRIVATE KEY-----": "is a private key, which the gateway must not have; give its public half: "
    "openssl pkey -in key.pem -pubout",
    "BEGIN CERTIFICATE-----": "is a certificate; give its key: openssl x509 -in cert.pem -pubkey -noout",
}
_RESERVED_PARAMETERS = {name.lower() for name in QUERY_KEYS} | {"awsaccesskeyid", "signature", "expires"}
_RESERVED_HEADER = re.compile(
    r"authorization|proxy-.*|cookie|host|date|expect|connection|te|trailer|transfer-encoding|upgrade|range"
    r"|content-.*|if-.*|x-amz-.*|x-forwarded-.*|forwarded|traceparent|tracestate|baggage"
)


def _pem(value: str, info: ValidationInfo) -> str:
    """The PEM text: the value itself, or the content of the file it names."""
    text = value if value.lstrip().startswith("-----BEGIN ") else _content(value, info)
    for mark, hint in _PEM_HINTS.items():
        if mark in text:
            raise ValueError(hint)
    from authz.jwt.keys import public_key

    try:
        public_key(text)
    except ValueError:
        raise ValueError(
            "must be one public key in PEM (-----BEGIN PUBLIC KEY-----), or a file that holds it: RSA of "
            "2048 bits or more, P-256, P-384, P-521 or Ed25519"
        ) from None
    return text


def _content(path: str, info: ValidationInfo) -> str:
    places = info.context
    assert isinstance(places, Places)
    try:
        return places.resolve(Path(path)).read_text("ascii")
    except (OSError, ValueError):
        raise ValueError("must be a public key in PEM, or a file that can be read and holds one") from None


def _jwks_url(text: str) -> str:
    try:
        url = urlsplit(text)
        is_url = bool(url.hostname) and url.scheme in {"http", "https"} and url.port != 0
    except ValueError:
        is_url = False
    if not is_url or not re.fullmatch(r"[!-~]+", text) or "@" in url.netloc or url.fragment:
        raise ValueError('must be a URL without login and fragment, like "https://id.example.org/keys"')
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        raise ValueError("must be https: over http, anybody on the way could show keys of his own")
    return text


def _source(value: Any) -> Any:
    """``bearer``, ``{query: NAME}`` or ``{header: NAME}``."""
    if value == "bearer":
        return value
    if not (isinstance(value, dict) and len(value) == 1 and {*value} <= {"query", "header"}):
        raise ValueError("must be bearer, {query: NAME} or {header: NAME}")
    ((kind, name),) = value.items()
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ValueError("must name it in 1 to 64 letters, digits, dots, hyphens and underscores")
    lower = name.lower()
    if kind == "query" and (lower in _RESERVED_PARAMETERS or lower.startswith("x-amz-")):
        raise ValueError("is a query parameter that S3 has a meaning for; choose another name")
    if kind == "header" and (_RESERVED_HEADER.fullmatch(lower) or "_" in name or "." in name):
        raise ValueError("is a header with a meaning of its own, or none that arrives; choose another name")
    return value


ClaimName = Annotated[
    str, matching(r"[!-~]{1,128}", "the name of a claim: 1 to 128 printable ASCII characters without spaces")
]
Text = Annotated[str, matching(r"[ -~]{1,512}", "1 to 512 printable ASCII characters")]


class JwksSection(Section):
    """How the keys behind ``jwks_url`` are fetched and how long they serve."""

    timeout_seconds: Number = Field(default=3.0, ge=0.1, le=30)
    refresh_seconds: Number = Field(default=300.0, ge=1, le=86_400)
    refetch_seconds: Number = Field(default=10.0, ge=1, le=3600)
    stale_seconds: Number = Field(default=3600.0, ge=1, le=604_800)
    ca_file: Nullable[ExistingFile] = None

    @model_validator(mode="after")
    def _order(self) -> Self:
        if not self.refetch_seconds <= self.refresh_seconds <= self.stale_seconds:
            raise ValueError("must have refetch_seconds <= refresh_seconds <= stale_seconds")
        return self


class JwtSection(Section):
    """Which tokens a bucket takes, and where requests carry them."""

    algorithms: Annotated[Listed[Algorithm], NotEmpty]
    secret: Nullable[Annotated[SecretStr, NotEmpty]] = None
    public_key: Nullable[Annotated[str, AfterValidator(_pem)]] = None
    jwks_url: Nullable[Annotated[str, AfterValidator(_jwks_url)]] = None
    jwks: JwksSection = JwksSection()
    issuer: OneOrMany[Text] | None = None
    audience: OneOrMany[Text] | None = None
    leeway_seconds: Number = Field(default=30.0, ge=0, le=300)
    required_claims: Listed[ClaimName] = ()
    subject_claim: ClaimName = "sub"
    groups_claim: Nullable[ClaimName] = None
    claims: Listed[ClaimName] = ()
    sources: Annotated[Listed[Annotated[Any, AfterValidator(_source)]], NotEmpty] = ("bearer",)

    @property
    def token_sources(self) -> tuple[TokenSource, ...]:
        """What ``sources`` says, header names in lower case."""
        return tuple(_token_source(value) for value in self.sources)

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        given = [name for name in ("secret", "public_key", "jwks_url") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("needs one of secret, public_key and jwks_url to verify tokens with")
        self._check_algorithms()
        if self.jwks_url is not None and (not self.issuer or self.audience is None):
            raise ValueError(
                "needs issuer and audience beside jwks_url, or tokens for other services would be good here; "
                "if yours have no audience, say so: audience: []"
            )
        if len(set(self.token_sources)) != len(self.token_sources):
            raise ValueError("has a source twice; keep one")
        return self

    def _check_algorithms(self) -> None:
        symmetric = set(self.algorithms) & _SECRET_BYTES.keys()
        if self.secret is not None:
            if symmetric != set(self.algorithms):
                raise ValueError("has algorithms that need a public key; with secret: HS256, HS384, HS512")
            _check_secret(self.secret.get_secret_value(), self.algorithms)
        elif symmetric:
            raise ValueError("has an HS algorithm, which needs secret: a public key must never serve as one")
        if self.public_key is not None:
            from authz.jwt.keys import public_key

            possible = public_key(self.public_key).algorithms
            if not set(self.algorithms) <= possible:
                raise ValueError(
                    f"has algorithms that public_key cannot verify; it can: {', '.join(sorted(possible))}"
                )


def _check_secret(secret: str, algorithms: tuple[str, ...]) -> None:
    needed = max(_SECRET_BYTES[algorithm] for algorithm in algorithms)
    if "-----BEGIN " in secret:
        raise ValueError("has a key in PEM as its secret; give it as public_key, with its algorithm")
    if len(secret.encode()) < needed or len(set(secret)) < _MIN_DIFFERENT:
        raise ValueError(
            f"needs a secret of at least {needed} bytes for these algorithms, {_MIN_DIFFERENT} of them "
            f"different; make one with: openssl rand -hex {needed}"
        )


def _token_source(value: str | Mapping[str, str]) -> TokenSource:
    if isinstance(value, str):
        return TokenSource("bearer")
    if "query" in value:
        return TokenSource("query", value["query"])
    return TokenSource("header", value["header"].lower())


class StsSection(Section):
    """Sessions: access keys for a time, in exchange for a token."""

    max_duration_seconds: Whole = Field(default=3600, ge=900, le=43_200)
