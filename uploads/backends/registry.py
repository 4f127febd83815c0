"""From the configuration of storages to backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from uploads.config import DjangoStorageConfig, FilesystemStorageConfig, S3StorageConfig, StorageConfig

from .base import Backend
from .django_storage import DjangoStorageBackend
from .filesystem import FilesystemBackend
from .s3 import S3Backend


def build_backends(configs: Sequence[StorageConfig]) -> Mapping[str, Backend]:
    """One backend for each storage, by its name. Nothing is connected to yet.

    Raises ImportError for a Django storage that is not there, and what its class raises about options.
    """
    return MappingProxyType({config.name: build_backend(config) for config in configs})


def build_backend(config: StorageConfig) -> Backend:
    """The backend for one storage."""
    match config:
        case FilesystemStorageConfig():
            return FilesystemBackend(config)
        case S3StorageConfig():
            return S3Backend(config)
        case DjangoStorageConfig():
            return DjangoStorageBackend(config)
