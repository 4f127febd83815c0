"""What each room is told, out of the configuration. Pure functions: values in, values out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import dj_database_url
from pydantic import SecretStr

from authz.config import AuthzConfig, ConfiguredKey
from authz.identity import BucketScope
from mizuchi_site.bucket_auth import bucket_auth
from mizuchi_site.bucket_limits import bucket_quota, cors_rule, throttle_config
from mizuchi_site.bucket_policy import policies
from mizuchi_site.bucket_webhooks import retention, webhook
from mizuchi_site.config import Config, Places
from mizuchi_site.config.buckets import BucketSection
from mizuchi_site.config.sections import AccessKeySection
from mizuchi_site.config.storages import DjangoStorage, FilesystemStorage, S3Storage
from mizuchi_site.config.tracing import OtlpSection, SamplingSection, TracingSection
from mizuchi_site.keyring import Keyring
from tracing_app.config import SamplingConfig, StoreConfig, TracingConfig
from tracing_app.exporting.config import (
    BatchConfig,
    BreakerConfig,
    ExportConfig,
    OtlpConfig,
    SpoolConfig,
)
from tracing_app.logs.config import LogExportConfig, LoggingConfig
from tracing_app.logs.levels import LogLevels, parse_levels
from tracing_app.metrics.config import MetricsConfig
from uploads.config import (
    BucketConfig,
    DjangoStorageConfig,
    FilesystemStorageConfig,
    Limits,
    S3StorageConfig,
    StorageConfig,
    UploadsConfig,
)

_SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-256;",
    "cached_statements": 8,
}
"""Several workers write one file: readers beside a writer, and writers that wait instead of failing. Every
request thread has a connection, so what one keeps is small: pages (256 KiB; the system has the others) are of
no use anyway once another connection has written, and few statements are those of an upload."""


_OWN_LOGGERS = ("mizuchi", "mizuchi_site", "uploads", "authz", "tracing_app")
# What these log holds nothing of a client or a person, so that all of it may be exported.
_CLEAN_LOGGERS = (
    "mizuchi.access",
    "mizuchi.tracing",
    "mizuchi_site.server.gateway_server",
    "tracing_app.health",
)


def uploads_config(config: Config, keys: Keyring) -> UploadsConfig:
    """What the uploads room is told."""
    return UploadsConfig(
        storages=tuple(_storage(name, storage) for name, storage in config.storages.items()),
        buckets=tuple(_bucket(bucket) for bucket in config.buckets),
        sealing_keys=keys.sealing,
        domain=config.server.domain,
        trusted_proxies=config.server.trusted_proxies,
        body_stall_seconds=config.server.body_stall_seconds,
        multipart_expiry_seconds=config.multipart.expiry_hours * 3600,
        retention=retention(config.deliveries),
        throttle=throttle_config(config),
    )


def authz_config(config: Config, keys: Keyring) -> AuthzConfig:
    """What the authz room is told."""
    return AuthzConfig(
        access_keys=tuple(_configured_key(key) for key in config.access_keys),
        buckets={
            bucket.name: bucket_auth(bucket.auth, browser_upload=bucket.browser_upload)
            for bucket in config.buckets
        },
        encryption_keys=keys.encryption,
        session_keys=keys.sessions,
        max_session_seconds=config.sts.max_duration_seconds,
        policies=policies(config.buckets),
    )


def tracing_config(config: Config, places: Places, keys: Keyring) -> TracingConfig:
    """What the tracing room is told."""
    tracing = config.tracing
    return TracingConfig(
        service_name=tracing.service_name,
        is_enabled=tracing.enabled,
        export=_export(tracing, places) if _is_exported(tracing) else None,
        store=_store(tracing) if tracing.enabled else None,
        resource=dict(tracing.resource),
        sampling=_sampling(tracing.sampling),
        redaction=tracing.redaction.keys,
        multipart=tracing.multipart,
        baggage_hosts=tracing.propagation.baggage_hosts,
        hash_keys=keys.hashing,
        ui_url=tracing.ui_url,
    )


def _is_exported(tracing: TracingSection) -> bool:
    return tracing.enabled and (tracing.console or bool(tracing.otlp.endpoint))


def _store(tracing: TracingSection) -> StoreConfig | None:
    store = tracing.local_store
    is_wanted = not tracing.otlp.endpoint if store.enabled is None else store.enabled
    return StoreConfig(store.max_traces, store.max_age_hours) if is_wanted else None


def _sampling(sampling: SamplingSection) -> SamplingConfig:
    return SamplingConfig(
        strategy=sampling.strategy,
        ratio=sampling.ratio,
        errors=sampling.errors,
        slow_request_ms=sampling.slow_request_ms,
        max_traces_per_second=sampling.max_traces_per_second,
        rules=tuple(rule.text for rule in sampling.rules),
    )


def logging_config(config: Config, places: Places, tracing: TracingConfig) -> LoggingConfig:
    """What the log is told. Its export is switched by itself: ``tracing.enabled`` is about traces."""
    logging = config.logging
    export = None
    if logging.otlp:
        export = LogExportConfig(
            export=replace(_export(config.tracing, places), spool=None),
            tracing=tracing,
            clean_loggers=_CLEAN_LOGGERS,
            own_loggers=_OWN_LOGGERS,
        )
    return LoggingConfig(
        level=logging.level,
        loggers=(*_OWN_LOGGERS, "django"),
        levels=parse_levels(logging.filter) if logging.filter else LogLevels(),
        format=logging.format,
        console=logging.console,
        export=export,
    )


def metrics_config(config: Config) -> MetricsConfig:
    """What measuring is told."""
    metrics = config.metrics
    collector = metrics.otlp if metrics.otlp.endpoint else config.tracing.otlp
    endpoint = collector.endpoint if metrics.otlp.enabled else None
    return MetricsConfig(
        is_enabled=metrics.enabled,
        token=_revealed(metrics.token),
        otlp=_collector(collector, endpoint) if endpoint else None,
        push_seconds=metrics.otlp.interval_seconds,
    )


def _export(tracing: TracingSection, places: Places) -> ExportConfig:
    otlp, batch, spool = tracing.otlp, tracing.batch, tracing.spool
    return ExportConfig(
        otlp=_collector(otlp, otlp.endpoint) if otlp.endpoint else None,
        batch=BatchConfig(
            max_queue_spans=batch.max_queue_size,
            scheduled_delay_seconds=batch.scheduled_delay_millis / 1000,
            max_export_batch_size=batch.max_export_batch_size,
        ),
        breaker=BreakerConfig(tracing.breaker.failures, tracing.breaker.reset_seconds),
        # What waits for a collector is not for the console.
        spool=(
            SpoolConfig(places.resolve(Path(spool.directory)), spool.max_bytes)
            if spool.max_bytes and otlp.endpoint
            else None
        ),
    )


def _collector(otlp: OtlpSection, endpoint: str) -> OtlpConfig:
    return OtlpConfig(
        endpoint=endpoint,
        protocol=otlp.protocol,
        timeout_seconds=otlp.timeout_seconds,
        compression=otlp.compression,
        headers=tuple((name, text.get_secret_value()) for name, text in otlp.headers.items()),
        ca_file=otlp.tls.ca_file,
    )


def database(config: Config, places: Places) -> dict[str, Any]:
    """Django's settings of the one database."""
    settings: dict[str, Any] = dict(
        dj_database_url.parse(config.database.url.get_secret_value(), conn_max_age=600)
    )
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        settings["NAME"] = str(places.resolve(Path(settings["NAME"])))
        settings["OPTIONS"] = _SQLITE_OPTIONS | settings.get("OPTIONS", {})
    else:
        settings["CONN_HEALTH_CHECKS"] = True
    return settings


def caches(config: Config) -> dict[str, dict[str, Any]]:
    """Django's settings of its cache."""
    url = config.cache.url
    if url is None:
        return {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    return {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url.get_secret_value(),
            "KEY_PREFIX": "mizuchi",
        }
    }


def trace_database(config: Config, places: Places) -> dict[str, dict[str, Any]]:
    """The database of the local store of traces, when it has one of its own."""
    path = config.tracing.local_store.path
    if path is None:
        return {}
    return {
        "traces": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(places.resolve(Path(path))),
            "CONN_MAX_AGE": 600,
            "OPTIONS": _SQLITE_OPTIONS,
        }
    }


def _storage(name: str, storage: FilesystemStorage | S3Storage | DjangoStorage) -> StorageConfig:
    match storage:
        case FilesystemStorage():
            return FilesystemStorageConfig(name, storage.location)
        case S3Storage():
            return S3StorageConfig(
                name=name,
                endpoint=storage.endpoint,
                region=storage.region,
                addressing=storage.addressing,
                access_key=storage.access_key,
                secret_key=_revealed(storage.secret_key),
                session_token=_revealed(storage.session_token),
                ca_file=storage.ca_file,
                connect_timeout_seconds=storage.connect_timeout_seconds,
                read_timeout_seconds=storage.read_timeout_seconds,
                max_connections=storage.max_connections,
            )
        case DjangoStorage():
            return DjangoStorageConfig(name, storage.backend, storage.staging, storage.options)


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _bucket(bucket: BucketSection) -> BucketConfig:
    return BucketConfig(
        name=bucket.name,
        storage=bucket.storage,
        target=bucket.target or bucket.name,
        prefix=bucket.prefix,
        limits=Limits(**dict(bucket.limits)),
        webhooks=tuple(webhook(each) for each in bucket.webhooks),
        quota=bucket_quota(bucket.quota),
        cors=tuple(cors_rule(rule) for rule in bucket.cors),
    )


def _configured_key(key: AccessKeySection) -> ConfiguredKey:
    return ConfiguredKey(
        access_key_id=key.access_key_id,
        principal=key.principal,
        secret_access_key=key.secret_access_key.get_secret_value(),
        scope=BucketScope(None if "*" in key.buckets else frozenset(key.buckets)),
    )
