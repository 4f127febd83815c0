"""The boto3 client for what has no body to stream, made by django-storages' S3Storage: the settings have
the names and meanings that its users know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from tracing_app.api import inject_context
from uploads.config import S3StorageConfig

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def storage_options(config: S3StorageConfig) -> dict[str, Any]:
    """The keyword arguments of ``storages.backends.s3.S3Storage`` for this upstream."""
    return {
        "access_key": config.access_key,
        "secret_key": config.secret_key,
        "security_token": config.session_token,
        "session_profile": None,
        "region_name": config.region,
        "endpoint_url": config.endpoint,
        "addressing_style": addressing_style(config),
        "verify": str(config.ca_file) if config.ca_file else None,
        "client_config": client_config(config),
    }


def addressing_style(config: S3StorageConfig) -> Literal["path", "virtual"]:
    """What ``auto`` means to boto3 when it sends; for presigned URLs it takes the global endpoint instead."""
    if config.addressing == "auto":
        return "virtual" if config.endpoint is None else "path"
    return config.addressing


def client_config(config: S3StorageConfig) -> Config:
    """Timeouts, retries and pool of the control calls. No proxy of the environment: bodies use none."""
    return Config(
        s3={"addressing_style": addressing_style(config), "us_east_1_regional_endpoint": "regional"},
        signature_version="s3v4",
        connect_timeout=config.connect_timeout_seconds,
        read_timeout=config.read_timeout_seconds,
        max_pool_connections=config.max_connections,
        retries={"mode": "standard", "total_max_attempts": 3},
        proxies={},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


def boto_client(config: S3StorageConfig) -> S3Client:
    """A boto3 client, thread-safe. Raises botocore's exceptions for values that it does not take."""
    from storages.backends.s3 import S3Storage  # reads Django's settings, so not before they exist

    client: S3Client = S3Storage(**storage_options(config)).connection.meta.client
    client.meta.events.register("before-send.s3", _propagate)
    return client


def _propagate(request: AWSPreparedRequest, **kwargs: Any) -> None:
    """The trace goes along with every control call. The headers are not signed, so they come last."""
    headers: dict[str, str] = {}
    url = urlsplit(request.url)
    inject_context(headers, url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
    for name, value in headers.items():
        request.headers[name] = value
