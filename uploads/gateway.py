"""Everything a request needs to know, built once for each process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from authz.authentication import Authenticator
from uploads.backends.base import Backend
from uploads.backends.registry import build_backends
from uploads.backends.traced import TracedBackend, call_names
from uploads.config import BucketConfig, Limits, UploadsConfig
from uploads.cross_origin import CorsTable, build_cors
from uploads.notifications.outbox import BucketWebhooks
from uploads.quotas.rules import BucketQuota
from uploads.s3.errors import NoSuchBucket
from uploads.throttle.throttle import Throttle, build_throttle
from uploads.upload_id import UploadSealer


@dataclass(frozen=True, slots=True)
class Bucket:
    """A gateway bucket with its storage at hand. ``webhooks`` is None where nobody is told of its objects."""

    name: str
    backend: Backend
    target: str
    prefix: str
    limits: Limits
    key_pattern: re.Pattern[str] | None
    quota: BucketQuota | None
    webhooks: BucketWebhooks | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """The buckets, their storages and what serves every request."""

    config: UploadsConfig
    buckets: Mapping[str, Bucket]
    backends: Mapping[str, Backend]
    sealer: UploadSealer
    authenticator: Authenticator
    throttle: Throttle | None = None
    cors: CorsTable | None = None

    def bucket(self, name: str | None) -> Bucket:
        """Raises NoSuchBucket."""
        bucket = self.buckets.get(name or "")
        if bucket is None:
            raise NoSuchBucket
        return bucket


def build_gateway(config: UploadsConfig, authenticator: Authenticator) -> Gateway:
    names = {storage.name: call_names(storage) for storage in config.storages}
    backends = {
        name: TracedBackend(backend, names[name]) for name, backend in build_backends(config.storages).items()
    }
    return Gateway(
        config=config,
        buckets={bucket.name: _bucket(bucket, backends) for bucket in config.buckets},
        backends=backends,
        sealer=UploadSealer(config.sealing_keys),
        authenticator=authenticator,
        throttle=build_throttle(config.throttle),
        cors=build_cors(config.buckets, config.domain),
    )


def _bucket(config: BucketConfig, backends: Mapping[str, Backend]) -> Bucket:
    pattern = config.limits.key_pattern
    return Bucket(
        name=config.name,
        backend=backends[config.storage],
        target=config.target,
        prefix=config.prefix,
        limits=config.limits,
        key_pattern=None if pattern is None else re.compile(pattern),
        webhooks=BucketWebhooks(config.webhooks) if config.webhooks else None,
        quota=config.quota,
    )
