"""What the uploads room is told at start: storages, buckets, limits. Values only, validated before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from uploads.notifications.config import Retention, WebhookConfig
from uploads.quotas.rules import BucketQuota
from uploads.s3.cors import CorsRule
from uploads.throttle.rules import ThrottleConfig

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class FilesystemStorageConfig:
    """Objects as files under ``location``, one folder for each bucket target."""

    name: str
    location: Path


@dataclass(frozen=True, slots=True)
class S3StorageConfig:
    """An S3 service. ``endpoint`` None is AWS itself; keys None are found as boto3 finds them."""

    name: str
    endpoint: str | None = None
    region: str = "us-east-1"
    addressing: Literal["path", "virtual", "auto"] = "path"
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    connect_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 60.0
    max_connections: int = 64


@dataclass(frozen=True, slots=True)
class DjangoStorageConfig:
    """Any Django storage class by dotted path. Bodies are verified in ``staging`` before ``save()``."""

    name: str
    backend: str
    staging: Path
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


StorageConfig = FilesystemStorageConfig | S3StorageConfig | DjangoStorageConfig


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bucket accepts. ``content_types`` are exact or ``type/*``; empty: any.
    ``key_pattern`` is a regular expression that the whole key must match."""

    max_object_bytes: int = 5 * 1024 * GIB
    max_part_bytes: int = 5 * GIB
    max_parts: int = 10_000
    content_types: tuple[str, ...] = ()
    key_pattern: str | None = None


@dataclass(frozen=True, slots=True)
class BucketConfig:
    """A gateway bucket: a name that points to a storage, a real bucket or folder, and a key prefix.
    ``quota`` None: nothing is counted. ``cors``: which pages may talk to it. ``webhooks``: who is
    told of its objects."""

    name: str
    storage: str
    target: str
    prefix: str = ""
    limits: Limits = field(default_factory=Limits)
    quota: BucketQuota | None = None
    cors: tuple[CorsRule, ...] = ()
    webhooks: tuple[WebhookConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadsConfig:
    """Everything the uploads room needs to know. ``sealing_keys``: the first seals upload ids, all open
    them; 32 bytes each."""

    storages: tuple[StorageConfig, ...]
    buckets: tuple[BucketConfig, ...]
    sealing_keys: tuple[bytes, ...] = field(repr=False)
    domain: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    body_stall_seconds: float = 30.0
    multipart_expiry_seconds: float = 7 * 86400.0
    throttle: ThrottleConfig = field(default_factory=ThrottleConfig)
    retention: Retention = field(default_factory=Retention)
