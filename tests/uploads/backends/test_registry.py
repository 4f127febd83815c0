"""Each kind of storage becomes its backend."""

from __future__ import annotations

import pytest

from uploads.backends.django_storage import DjangoStorageBackend
from uploads.backends.filesystem import FilesystemBackend
from uploads.backends.registry import build_backends
from uploads.backends.s3 import S3Backend
from uploads.config import DjangoStorageConfig, FilesystemStorageConfig, S3StorageConfig


def test_storages_become_backends_by_name(tmp_path):
    backends = build_backends(
        [
            FilesystemStorageConfig("local", tmp_path / "objects"),
            S3StorageConfig("minio", "http://127.0.0.1:1", access_key="a", secret_key="s"),
            DjangoStorageConfig("memory", "django.core.files.storage.InMemoryStorage", tmp_path / "staging"),
        ]
    )
    assert {name: type(backend) for name, backend in backends.items()} == {
        "local": FilesystemBackend,
        "minio": S3Backend,
        "memory": DjangoStorageBackend,
    }
    assert all(backend.name == name for name, backend in backends.items())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["no.such.Storage", "django.core.files.storage.NoSuchStorage"])
def test_a_django_storage_that_is_not_there_fails_the_start(tmp_path, path):
    with pytest.raises(ImportError):
        build_backends([DjangoStorageConfig("x", path, tmp_path)])
