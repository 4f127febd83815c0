"""The filesystem backend keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.backend import BackendContract
from tests.uploads.backends.sidecar_places import no_attributes
from uploads.backends.filesystem import FilesystemBackend
from uploads.backends.object_path import path_of
from uploads.backends.object_tree import ObjectTree
from uploads.config import FilesystemStorageConfig
from uploads.s3.headers import ObjectMetadata


class TestFilesystemContract(BackendContract):
    @pytest.fixture
    def location(self, tmp_path) -> Path:
        return tmp_path / "objects"

    @pytest.fixture
    def backend(self, location):
        return FilesystemBackend(FilesystemStorageConfig("local", location))

    @pytest.fixture
    def bucket(self):
        return "uploads"

    @pytest.fixture
    def read_object(self, location, bucket):
        def read(key: str) -> bytes | None:
            path = location / bucket / key
            return path.read_bytes() if path.is_file() else None

        return read

    @pytest.fixture
    def read_metadata(self, location, bucket):
        def read(key: str) -> ObjectMetadata:
            sidecar = ObjectTree(location, location / ".mizuchi", None, None).sidecar(path_of(bucket, key))
            assert sidecar
            return sidecar.metadata

        return read

    @pytest.fixture
    def leftovers(self, location, bucket):
        return lambda: leftovers_of(location, bucket)


class TestFilesystemWithoutAttributesContract(TestFilesystemContract):
    @pytest.fixture(autouse=True)
    def without_attributes(self, monkeypatch):
        no_attributes(monkeypatch)


def leftovers_of(location: Path, bucket: str) -> list[str]:
    """Temporary files, parts, and sidecars that describe no object."""
    objects = {path.stat().st_ino for path in (location / bucket).rglob("*")}
    internal = location / ".mizuchi"
    orphans = [
        path for path in (internal / "metadata").rglob("*.json") if int(path.suffixes[-2][1:]) not in objects
    ]
    working = [*(internal / "tmp").glob("*"), *(internal / "multipart").glob("*")]
    return sorted(str(path.relative_to(location)) for path in [*orphans, *working])
