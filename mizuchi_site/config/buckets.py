"""Buckets: the names that clients upload to, where they lead, what they accept and from whom."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from authz.key_template import TEMPLATE

from .cors import CorsRuleSection
from .jwt import JwtSection
from .policy import AuthzSection, written_block
from .quota import BucketQuotaSection
from .throttle import RateSection
from .values import Flag, Listed, Nullable, Section, Whole, matching
from .webhooks import WebhookSection

MIB = 1024**2
GIB = 1024**3

RESERVED_NAMES = frozenset({"admin", "api", "static", "health", "livez", "readyz", "metrics"})
"""First path segments that the gateway answers itself."""

_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def _bucket_name(text: str) -> str:
    """Amazon S3 User Guide, "General purpose bucket naming rules"."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text) or ".." in text or _is_address(text):
        raise ValueError(
            "must be a bucket name: 3 to 63 lower-case letters, digits, hyphens and single dots, "
            "a letter or digit at both ends, not an IP address"
        )
    if text.startswith(_RESERVED_PREFIXES) or text.endswith(_RESERVED_SUFFIXES):
        raise ValueError("has a beginning or ending that S3 keeps for itself; choose another name")
    if text in RESERVED_NAMES:
        raise ValueError("is a path of the gateway itself; choose another name")
    return text


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _prefix(text: str) -> str:
    segments = text.split("/")
    hidden = any(segment in {".", ".."} for segment in segments)
    empty = "" in segments[:-1]
    if text and (hidden or empty or not text.isprintable() or len(text.encode()) > 512):
        raise ValueError(
            'must be a relative path like "incoming/", at most 512 bytes, without ".", "..", '
            "empty segments and control characters"
        )
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        raise ValueError("must be a regular expression as Python's re module reads it") from None
    return text


BucketName = Annotated[str, AfterValidator(_bucket_name)]
Target = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}",
        "the name of a bucket or folder: letters, digits, dots, hyphens and underscores",
    ),
]
ContentType = Annotated[
    str,
    matching(
        r"[a-z0-9][a-z0-9!#$&^_.+-]*/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]*)",
        'a content type in lower case without parameters, like "image/png" or "image/*"',
    ),
]


class LimitsSection(Section):
    """What a bucket accepts."""

    max_object_bytes: Whole = Field(default=5 * 1024 * GIB, ge=1, le=10_000 * 5 * GIB)
    max_part_bytes: Whole = Field(default=5 * GIB, ge=5 * MIB, le=5 * GIB)
    max_parts: Whole = Field(default=10_000, ge=1, le=10_000)
    content_types: Listed[ContentType] = ()
    key_pattern: Nullable[Annotated[str, AfterValidator(_pattern)]] = None


class SigV4Section(Section):
    """AWS Signature Version 4 in headers, query or POST form."""

    enabled: Flag = True
    max_clock_skew_seconds: Whole = Field(default=900, ge=1, le=86_400)


def _key_template(text: str) -> str:
    if not TEMPLATE.fullmatch(text) or not text.endswith("/"):
        raise ValueError(
            'must be a folder with {subject} once in it, right before a slash, like "users/{subject}/"'
        )
    return _prefix(text)


class AuthSection(Section):
    """How callers of a bucket may prove who they are, and which keys are theirs."""

    sigv4: SigV4Section = SigV4Section()
    jwt: JwtSection | None = None
    anonymous: Flag = False
    key_template: Nullable[Annotated[str, AfterValidator(_key_template)]] = None

    @model_validator(mode="after")
    def _some_way_in(self) -> Self:
        if not (self.sigv4.enabled or self.jwt or self.anonymous):
            raise ValueError("lets nobody in; enable sigv4, jwt or anonymous, or remove the bucket")
        if self.anonymous and self.key_template:
            raise ValueError("has a key_template, but anonymous callers have no subject; keep one of the two")
        return self


def _browser_upload(is_on: bool, info: ValidationInfo) -> bool:
    auth = info.data.get("auth")
    if is_on and auth is not None and not auth.sigv4.enabled:
        raise ValueError("sends signed requests; set auth.sigv4.enabled to true, or false here")
    return is_on


class BucketSection(Section):
    """A bucket of the gateway."""

    name: BucketName
    storage: str
    target: Nullable[Target] = None
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    limits: LimitsSection = LimitsSection()
    throttle: RateSection = RateSection()
    quota: BucketQuotaSection = BucketQuotaSection()
    cors: Listed[CorsRuleSection] = ()
    auth: AuthSection = AuthSection()
    browser_upload: Annotated[Flag, AfterValidator(_browser_upload)] = False
    authz: Annotated[AuthzSection | None, BeforeValidator(written_block)] = Field(
        default=None, validate_default=False
    )
    webhooks: Listed[WebhookSection] = ()
