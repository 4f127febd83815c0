"""Any Django storage as a backend: the contract, and what is particular."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import Storage

from tests.contracts.backend import BackendContract
from tests.contracts.body import FakeBody
from uploads.backends.base import CompletedPart, MultipartRef, ObjectWrite
from uploads.backends.django_storage import DjangoStorageBackend
from uploads.backends.errors import (
    BackendMisconfigured,
    BackendUnavailable,
    ConditionFailed,
    KeyNotRepresentable,
    OutOfSpace,
)
from uploads.config import DjangoStorageConfig
from uploads.s3.headers import Conditions, ObjectMetadata

FILE_SYSTEM = "django.core.files.storage.FileSystemStorage"
IN_MEMORY = "django.core.files.storage.InMemoryStorage"


def staged(staging: Path) -> list[str]:
    return sorted(str(path) for path in [*staging.glob("tmp/*"), *staging.glob("multipart/*")])


class DjangoStorageContract(BackendContract):
    holds_metadata = False
    finds_completed = False
    holds_content_type = False

    @pytest.fixture
    def staging(self, tmp_path):
        return tmp_path / "staging"

    @pytest.fixture
    def bucket(self):
        return "uploads"

    @pytest.fixture
    def read_metadata(self):
        def read(key: str) -> ObjectMetadata:
            raise AssertionError("this storage has no metadata")

        return read


class TestFileSystemStorageContract(DjangoStorageContract):
    @pytest.fixture
    def location(self, tmp_path):
        return tmp_path / "files"

    @pytest.fixture
    def backend(self, location, staging):
        options = {"location": str(location), "allow_overwrite": True}
        return DjangoStorageBackend(DjangoStorageConfig("files", FILE_SYSTEM, staging, options))

    @pytest.fixture
    def read_object(self, location, bucket):
        def read(key: str) -> bytes | None:
            path = location / bucket / key
            return path.read_bytes() if path.is_file() else None

        return read

    @pytest.fixture
    def leftovers(self, staging):
        return lambda: staged(staging)


class TestInMemoryStorageContract(DjangoStorageContract):
    overwrites = False

    @pytest.fixture
    def backend(self, staging):
        return DjangoStorageBackend(DjangoStorageConfig("memory", IN_MEMORY, staging))

    @pytest.fixture
    def read_object(self, backend, bucket):
        storage = backend._storage

        def read(key: str) -> bytes | None:
            name = f"{bucket}/{key}"
            return storage.open(name).read() if storage.exists(name) else None

        return read

    @pytest.fixture
    def leftovers(self, backend, staging, bucket):
        """A renamed second object would be one, too."""

        def names(folder: str) -> list[str]:
            if not backend._storage.exists(folder):
                return []
            folders, files = backend._storage.listdir(folder)
            inner = [name for child in folders for name in names(f"{folder}/{child}")]
            return [*inner, *(f"{folder}/{name}" for name in files)]

        def read() -> list[str]:
            renamed = [name for name in names(bucket) if Path(name).stem.startswith("k_")]
            return [*staged(staging), *renamed]

        return read


class Recording(Storage):
    """Remembers what it was given; fails when told to."""

    def __init__(self, error=None, saves_as=None):
        self.error = error
        self.saves_as = saves_as
        self.saved = []
        self.deleted = []

    def exists(self, name):
        self._fail()
        return False

    def save(self, name, content, max_length=None):
        self._fail()
        self.saved.append((name, content.content_type, content.size, b"".join(content.chunks())))
        return self.saves_as or name

    def delete(self, name):
        self.deleted.append(name)

    def _fail(self):
        if self.error:
            raise self.error


def recording(tmp_path, **options):
    path = f"{__name__}.Recording"
    return DjangoStorageBackend(DjangoStorageConfig("recording", path, tmp_path / "staging", options))


def test_content_type_and_size_reach_the_storage(tmp_path):
    backend = recording(tmp_path)
    backend.put_object(ObjectWrite("b", "dir/k", ObjectMetadata(content_type="image/png")), FakeBody(b"data"))
    assert backend._storage.saved == [("b/dir/k", "image/png", 4, b"data")]


def test_a_multipart_upload_is_saved_once_with_its_content_type(tmp_path):
    backend = recording(tmp_path)
    write = ObjectWrite("b", "k", ObjectMetadata(content_type="image/png"))
    upload = MultipartRef("b", "k", backend.create_multipart_upload(write, None))
    part = backend.upload_part(upload, 1, FakeBody(b"data"), {})
    assert backend._storage.saved == []
    backend.complete_multipart_upload(upload, [CompletedPart(1, part.etag)], Conditions(), {})
    assert backend._storage.saved == [("b/k", "image/png", 4, b"data")]


def test_a_failed_completion_can_be_repeated(tmp_path):
    backend = recording(tmp_path)
    upload = MultipartRef("b", "k", backend.create_multipart_upload(ObjectWrite("b", "k"), None))
    part = backend.upload_part(upload, 1, FakeBody(b"data"), {})
    backend._storage.error = RuntimeError("down")
    with pytest.raises(BackendUnavailable):
        backend.complete_multipart_upload(upload, [CompletedPart(1, part.etag)], Conditions(), {})
    backend._storage.error = None
    backend.complete_multipart_upload(upload, [CompletedPart(1, part.etag)], Conditions(), {})
    assert [name for name, *_ in backend._storage.saved] == ["b/k"]
    assert staged(tmp_path / "staging") == []


def test_an_object_stored_under_another_name_is_undone(tmp_path):
    backend = recording(tmp_path, saves_as="b/k_x7Yz")
    with pytest.raises(ConditionFailed, match="allow_overwrite"):
        backend.put_object(ObjectWrite("b", "k"), FakeBody(b"data"))
    assert backend._storage.deleted == ["b/k_x7Yz"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SuspiciousFileOperation("no"), KeyNotRepresentable),
        (OSError(errno.ENOSPC, "full"), OutOfSpace),
        (FileExistsError("a folder is a file"), KeyNotRepresentable),
        (TimeoutError("slow"), BackendUnavailable),
        (RuntimeError("whatever a third party raises"), BackendUnavailable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_what_a_storage_raises_is_translated(tmp_path, error, kind):
    backend = recording(tmp_path, error=error)
    with pytest.raises(kind):
        backend.put_object(ObjectWrite("b", "k"), FakeBody(b"data"))
    with pytest.raises(kind):
        backend.check("b")
    assert staged(tmp_path / "staging") == []


def test_a_failure_of_a_third_party_is_logged_and_its_words_are_not_handed_on(tmp_path, caplog):
    backend = recording(tmp_path, error=RuntimeError("the bucket is gone"))
    with pytest.raises(BackendUnavailable) as raised:
        backend.put_object(ObjectWrite("b", "k"), FakeBody(b"data"))
    assert [record.exc_info[0] for record in caplog.records] == [RuntimeError]
    assert raised.value.detail == "RuntimeError"
    assert "the bucket is gone" not in f"{raised.value} {raised.value.message}"


@pytest.mark.parametrize("key", ["a/", "/a", "a//b", "../a", "a/../b", "a\\b", ""])
def test_keys_a_storage_would_change_are_refused(tmp_path, key):
    backend, body = recording(tmp_path), FakeBody(b"data")
    with pytest.raises(KeyNotRepresentable):
        backend.put_object(ObjectWrite("b", key), body)
    with pytest.raises(KeyNotRepresentable):
        backend.create_multipart_upload(ObjectWrite("b", key), None)
    assert body.pulled == 0


def test_a_bucket_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(BackendMisconfigured):
        recording(tmp_path).check("../b")


def test_a_name_that_is_a_folder_is_refused(tmp_path):
    options = {"location": str(tmp_path / "files"), "allow_overwrite": True}
    backend = DjangoStorageBackend(DjangoStorageConfig("files", FILE_SYSTEM, tmp_path / "staging", options))
    backend.put_object(ObjectWrite("b", "a/b"), FakeBody(b"first"))
    with pytest.raises(KeyNotRepresentable):
        backend.put_object(ObjectWrite("b", "a"), FakeBody(b"second"))
    with pytest.raises(KeyNotRepresentable):
        backend.put_object(ObjectWrite("b", "a/b/c"), FakeBody(b"second"))
    assert (tmp_path / "files/b/a/b").read_bytes() == b"first"
