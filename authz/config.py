"""What the authz room is told at start: keys from the configuration and each bucket's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from authz.identity import BucketScope


@dataclass(frozen=True, slots=True)
class ConfiguredKey:
    """An access key from config.yaml."""

    access_key_id: str
    principal: str
    secret_access_key: str = field(repr=False)
    scope: BucketScope = field(default_factory=BucketScope)


@dataclass(frozen=True, slots=True)
class BucketAuth:
    """How a bucket's callers may prove who they are."""

    sigv4: bool = True
    max_clock_skew_seconds: int = 900
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class AuthzConfig:
    """Everything the authz room needs to know. ``encryption_keys`` (32 bytes each): the first encrypts
    access key secrets at rest, all decrypt."""

    access_keys: tuple[ConfiguredKey, ...]
    buckets: Mapping[str, BucketAuth]
    encryption_keys: tuple[bytes, ...] = field(repr=False)
