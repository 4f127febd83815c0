"""The boto3 client of an upstream, for those who need it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from uploads.config import S3StorageConfig

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ControlClient:
    """Makes the client when it is first called for, which uploads do seldom or never. Thread-safe."""

    def __init__(self, config: S3StorageConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._client: S3Client | None = None

    def __call__(self) -> S3Client:
        """Raises botocore's exceptions for values that it does not take."""
        with self._lock:
            if self._client is None:
                from .s3_boto import boto_client

                self._client = boto_client(self._config)
            return self._client

    def close(self) -> None:
        """Close idle connections."""
        if self._client is not None:
            self._client.close()
