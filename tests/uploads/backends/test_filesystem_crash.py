"""A crash at any moment leaves the old object or the new one, each with its own metadata."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress

import pytest

from tests.contracts.body import MIB, FakeBody
from tests.uploads.backends.crashing import deaths, exit_code, killed_after, started
from tests.uploads.backends.sidecar_places import PLACES
from tests.uploads.backends.test_filesystem_contract import leftovers_of
from uploads.backends.base import CompletedPart, MultipartRef, ObjectWrite
from uploads.backends.errors import UploadNotFound
from uploads.backends.filesystem import FilesystemBackend
from uploads.backends.object_path import path_of
from uploads.backends.object_tree import ObjectTree
from uploads.config import FilesystemStorageConfig
from uploads.s3.headers import Conditions, ObjectMetadata

OLD = ObjectMetadata(content_type="text/old")
NEW = ObjectMetadata(content_type="text/new")
ANY = Conditions()


class Storage:
    """A storage that can be emptied, and read without the code under test taking part."""

    def __init__(self, location):
        self.location = location
        self.backend = FilesystemBackend(FilesystemStorageConfig("local", location))

    def reset(self):
        shutil.rmtree(self.location, ignore_errors=True)

    def put(self, data, metadata, conditions=ANY):
        return self.backend.put_object(ObjectWrite("b", "dir/k", metadata, conditions), FakeBody(data))

    def seen(self):
        """Bytes and Content-Type of the object, None without one."""
        path = self.location / "b/dir/k"
        if not path.exists():
            return None
        tree = ObjectTree(self.location, self.location / ".mizuchi", None, None)
        sidecar = tree.sidecar(path_of("b", "dir/k"))
        return path.read_bytes(), sidecar and sidecar.metadata.content_type

    def leftovers_after_sweep(self):
        self.backend.sweep()
        return leftovers_of(self.location, "b")


@pytest.fixture(params=PLACES)
def storage(tmp_path, request, monkeypatch):
    request.param(monkeypatch)
    return Storage(tmp_path / "objects")


def test_a_crashed_first_put_shows_nothing_or_all(storage):
    seen = set()
    for _ in deaths(lambda: storage.put(b"new", NEW), prepare=storage.reset):
        seen.add(storage.seen())
        assert storage.leftovers_after_sweep() == []
    assert seen == {None, (b"new", "text/new")}


def test_a_crashed_overwrite_shows_the_old_or_the_new(storage):
    def prepare():
        storage.reset()
        storage.put(b"old", OLD)

    seen = set()
    for _ in deaths(lambda: storage.put(b"new", NEW), prepare=prepare):
        seen.add(storage.seen())
        assert storage.leftovers_after_sweep() == []
        assert storage.seen() in seen
    assert seen == {(b"old", "text/old"), (b"new", "text/new")}


def test_a_crashed_conditional_put_shows_nothing_or_all(storage):
    seen = set()
    create = Conditions(if_none_match=True)
    for _ in deaths(lambda: storage.put(b"new", NEW, create), prepare=storage.reset):
        seen.add(storage.seen())
        assert storage.leftovers_after_sweep() == []
    assert seen == {None, (b"new", "text/new")}


class Upload:
    """A multipart upload with these parts, to be completed."""

    def __init__(self, storage, parts, metadata=NEW):
        self.storage = storage
        self.ref = MultipartRef(
            "b", "dir/k", storage.backend.create_multipart_upload(ObjectWrite("b", "dir/k", metadata), None)
        )
        self.listed = [self.send(number, data) for number, data in enumerate(parts, start=1)]

    def send(self, number, data):
        part = self.storage.backend.upload_part(self.ref, number, FakeBody(data, block_bytes=MIB), {})
        return CompletedPart(part.part_number, part.etag)

    def complete(self, conditions=ANY):
        return self.storage.backend.complete_multipart_upload(self.ref, self.listed, conditions, {})


@pytest.mark.parametrize(
    "parts", [[b"only"], [b"1" * (5 * MIB), b"last"]], ids=["a single part", "two parts"]
)
def test_a_crashed_completion_can_be_repeated(storage, parts):
    """Also when its condition no longer holds because it was met: by this very upload."""
    upload = None

    def prepare():
        nonlocal upload
        storage.reset()
        upload = Upload(storage, parts)

    seen, etags = set(), set()
    whole = (b"".join(parts), "text/new")
    create = Conditions(if_none_match=True)
    for _ in deaths(lambda: upload.complete(create), prepare=prepare):
        seen.add(storage.seen())
        try:
            etags.add(upload.complete(create).etag)
        except UploadNotFound:
            assert storage.seen() == whole
        assert storage.seen() == whole
        assert storage.leftovers_after_sweep() == []
    assert seen == {None, whole}
    assert len(etags) == 1


def test_a_crashed_replacement_of_a_part_keeps_a_whole_part(storage):
    upload = None

    def prepare():
        nonlocal upload
        storage.reset()
        upload = Upload(storage, [b"old part"])

    kept = set()
    for _ in deaths(lambda: upload.send(1, b"new part"), prepare=prepare):
        (part,) = storage.backend.list_parts(upload.ref, 0, 10).parts
        upload.listed = [CompletedPart(1, part.etag)]
        upload.complete()
        kept.add(storage.seen()[0])
        assert storage.leftovers_after_sweep() == []
    assert kept == {b"old part", b"new part"}


def test_a_crashed_abort_can_be_repeated(storage):
    upload = None

    def prepare():
        nonlocal upload
        storage.reset()
        upload = Upload(storage, [b"part"])

    for _ in deaths(lambda: storage.backend.abort_multipart_upload(upload.ref), prepare=prepare):
        with suppress(UploadNotFound):
            storage.backend.abort_multipart_upload(upload.ref)
        assert storage.leftovers_after_sweep() == []


def slowly(body, seconds):
    """The body, with a pause before each block."""
    iterate = type(body).__iter__

    class Slow(type(body)):
        def __iter__(self):
            for block in iterate(self):
                time.sleep(seconds)
                yield block

    body.__class__ = Slow
    return body


def test_a_writer_killed_amid_its_body_leaves_the_old_object(storage):
    storage.put(b"old", OLD)
    for attempt in range(10):
        body = slowly(FakeBody(b"x" * (64 * MIB), block_bytes=MIB), 0.01)
        killed_after(
            0.02 + attempt * 0.013,
            lambda body=body: storage.backend.put_object(ObjectWrite("b", "dir/k", NEW), body),
        )
        assert storage.seen() == (b"old", "text/old")
    assert len(leftovers_of(storage.location, "b")) >= 5
    assert storage.leftovers_after_sweep() == []


def test_a_part_killed_amid_its_body_leaves_no_part(storage):
    upload = Upload(storage, [])
    for attempt in range(5):
        body = slowly(FakeBody(b"x" * (64 * MIB), block_bytes=MIB), 0.01)
        killed_after(
            0.02 + attempt * 0.013,
            lambda body=body: storage.backend.upload_part(upload.ref, 1, body, {}),
        )
        assert storage.backend.list_parts(upload.ref, 0, 10).parts == ()
    assert storage.backend.sweep() >= 3
    storage.backend.abort_multipart_upload(upload.ref)
    assert storage.leftovers_after_sweep() == []


def test_a_killed_completion_shows_nothing_or_all(storage):
    parts = [bytes([n]) * (8 * MIB) for n in range(3)]
    for attempt in range(10):
        storage.reset()
        upload = Upload(storage, parts)
        killed_after(0.002 + attempt * 0.004, upload.complete)
        assert storage.seen() in (None, (b"".join(parts), "text/new"))
        with suppress(UploadNotFound):
            upload.complete()
        assert storage.seen() == (b"".join(parts), "text/new")
        assert storage.leftovers_after_sweep() == []


def test_a_sweep_spares_a_live_writer_of_another_process(storage):
    body = slowly(FakeBody(b"x" * (30 * MIB), block_bytes=MIB), 0.01)
    child = started(lambda: storage.backend.put_object(ObjectWrite("b", "dir/k", NEW), body))
    while not any((storage.location / name).stat().st_size for name in leftovers_of(storage.location, "b")):
        time.sleep(0.001)  # until it has written, so has locked what it writes
    assert storage.backend.sweep() == 0
    assert leftovers_of(storage.location, "b") != []
    assert exit_code(child) == 0
    assert storage.seen() == (b"x" * (30 * MIB), "text/new")
    assert leftovers_of(storage.location, "b") == []
