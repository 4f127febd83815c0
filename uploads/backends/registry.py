"""From the configuration of storages to backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from uploads.config import DjangoStorageConfig, FilesystemStorageConfig, S3StorageConfig, StorageConfig

from .base import Backend


def build_backends(configs: Sequence[StorageConfig]) -> Mapping[str, Backend]:
    """One backend for each storage, by its name. Nothing is connected to yet.

    Raises ImportError for a Django storage that is not there, and what its class raises about options.
    """
    return MappingProxyType({config.name: build_backend(config) for config in configs})


def build_backend(config: StorageConfig) -> Backend:
    """The backend for one storage."""
    # A kind of storage is imported by who has one: boto3 alone costs a worker 9 MiB.
    match config:
        case FilesystemStorageConfig():
            from .filesystem import FilesystemBackend

            return FilesystemBackend(config)
        case S3StorageConfig():
            from .s3 import S3Backend

            return S3Backend(config)
        case DjangoStorageConfig():
            from .django_storage import DjangoStorageBackend

            return DjangoStorageBackend(config)
