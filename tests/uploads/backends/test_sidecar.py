"""What is known of an object beyond its bytes: in its file or beside it, never of another file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contracts.body import FakeBody
from tests.uploads.backends.sidecar_places import PLACES, no_attributes
from tests.uploads.backends.test_filesystem_contract import leftovers_of
from uploads.backends.base import CompletedPart, MultipartRef, ObjectWrite
from uploads.backends.errors import ConditionFailed, KeyNotRepresentable
from uploads.backends.filesystem import FilesystemBackend
from uploads.backends.object_path import path_of
from uploads.backends.object_tree import ObjectTree
from uploads.config import FilesystemStorageConfig
from uploads.s3.headers import Conditions, ObjectMetadata

ATTRIBUTE = "user.mizuchi"
CREATE = Conditions(if_none_match=True)
FOLDER = ObjectMetadata(content_type="application/x-directory")


@pytest.fixture
def location(tmp_path):
    return tmp_path / "objects"


@pytest.fixture
def backend(location):
    return FilesystemBackend(FilesystemStorageConfig("local", location))


@pytest.fixture
def beside(monkeypatch):
    """The filesystem has no extended attributes."""
    no_attributes(monkeypatch)


@pytest.fixture(params=PLACES)
def anywhere(request, monkeypatch):
    """With extended attributes, and without."""
    request.param(monkeypatch)


def put(backend, key, data=b"x", *, conditions=None, metadata=None):
    write = ObjectWrite("b", key, metadata or ObjectMetadata(), conditions or Conditions())
    return backend.put_object(write, FakeBody(data))


def sidecars(location):
    return sorted((location / ".mizuchi/metadata").rglob("*.json"))


def content_type(location, key):
    """What is known of it, to somebody who comes later."""
    sidecar = ObjectTree(location, location / ".mizuchi", None, None).sidecar(path_of("b", key))
    return sidecar and sidecar.metadata.content_type


def described(stored, file):
    """The sidecar of an object ``a/ü`` of five bytes."""
    return {
        "format": 1,
        "key": "a/ü",
        "etag": stored.etag,
        "size": 5,
        "mtime_ns": file.stat().st_mtime_ns,
        "checksums": {},
        "checksum_type": None,
        "upload_id": None,
        "metadata": {"content_type": "t/x", "user": {"n": "v"}},
    }


def test_the_file_says_it_all_itself(backend, location):
    stored = put(backend, "a/ü", b"hello", metadata=ObjectMetadata(content_type="t/x", user={"n": "v"}))
    file = location / "b/a/ü"
    assert json.loads(os.getxattr(file, ATTRIBUTE)) == described(stored, file)
    assert sidecars(location) == []


@pytest.mark.usefixtures("beside")
def test_a_file_beside_it_says_all_that_the_file_cannot(backend, location):
    stored = put(backend, "a/ü", b"hello", metadata=ObjectMetadata(content_type="t/x", user={"n": "v"}))
    (path,) = sidecars(location)
    file = location / "b/a/ü"
    digest = hashlib.sha256("a/ü".encode()).hexdigest()
    assert path.relative_to(location).as_posix() == (
        f".mizuchi/metadata/b/{digest[:2]}/{digest}.{file.stat().st_ino}.json"
    )
    assert json.loads(path.read_text()) == described(stored, file)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.E2BIG, errno.ERANGE, errno.EPERM, errno.ENOSYS])
def test_what_has_no_room_in_the_file_is_beside_it(backend, location, monkeypatch, code):
    def refuse(*args):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "setxattr", refuse)
    put(backend, "k", metadata=FOLDER)
    assert len(sidecars(location)) == 1
    assert content_type(location, "k") == "application/x-directory"


def test_metadata_of_any_size_is_kept(backend, location):
    long = "x" * 100_000  # more than any attribute may have
    put(backend, "k", metadata=ObjectMetadata(content_type=long))
    assert content_type(location, "k") == long


def test_sidecars_of_both_kinds_are_read_and_replaced(backend, location, monkeypatch):
    with monkeypatch.context() as without:
        no_attributes(without)
        old = put(backend, "k", b"old", metadata=FOLDER)
    assert content_type(location, "k") == "application/x-directory"
    put(backend, "k", b"new", conditions=Conditions(if_match=old.etag))
    assert content_type(location, "k") is None
    assert sidecars(location) == []


def test_metadata_goes_with_a_copy(backend, location, tmp_path):
    upload = MultipartRef(
        "b", "dir/k", backend.create_multipart_upload(ObjectWrite("b", "dir/k", FOLDER), None)
    )
    part = backend.upload_part(upload, 1, FakeBody(b"data"), {})
    listed = [CompletedPart(1, part.etag)]
    stored = backend.complete_multipart_upload(upload, listed, Conditions(), {})
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(location), str(copy)], check=True)
    shutil.rmtree(location)
    elsewhere = FilesystemBackend(FilesystemStorageConfig("local", copy))
    elsewhere.sweep()
    assert content_type(copy, "dir/k") == "application/x-directory"
    assert elsewhere.find_completed(upload, listed) == stored


@pytest.mark.usefixtures("anywhere")
def test_under_another_key_it_says_nothing(backend, location):
    put(backend, "k", metadata=FOLDER)
    (location / "b/k").rename(location / "b/moved")
    assert content_type(location, "moved") is None


@pytest.mark.usefixtures("beside")
def test_an_overwrite_leaves_one_file_beside(backend, location):
    for data in (b"1", b"22", b"333"):
        put(backend, "k", data)
    assert len(sidecars(location)) == 1


@pytest.mark.usefixtures("anywhere")
def test_the_etag_of_a_file_put_there_by_hand_is_its_md5(backend, location):
    (location / "b").mkdir(parents=True)
    (location / "b/k").write_bytes(b"by hand")
    with pytest.raises(ConditionFailed):
        put(backend, "k", conditions=Conditions(if_match=hashlib.md5(b"other").hexdigest()))
    put(backend, "k", b"new", conditions=Conditions(if_match=hashlib.md5(b"by hand").hexdigest()))
    assert (location / "b/k").read_bytes() == b"new"


@pytest.mark.usefixtures("anywhere")
def test_the_etag_of_a_file_changed_by_hand_is_not_the_old_one(backend, location):
    old = put(backend, "k", b"old")
    (location / "b/k").write_bytes(b"changed by hand")
    with pytest.raises(ConditionFailed):
        put(backend, "k", conditions=Conditions(if_match=old.etag))
    put(backend, "k", conditions=Conditions(if_match=hashlib.md5(b"changed by hand").hexdigest()))


@pytest.mark.usefixtures("anywhere")
def test_a_condition_that_fails_makes_no_folder(backend, location):
    put(backend, "there")
    with pytest.raises(ConditionFailed):
        put(backend, "a/b/k", conditions=Conditions(if_match="0" * 32))
    assert not (location / "b/a").exists()


@pytest.mark.usefixtures("beside")
def test_sweep_forgets_what_was_removed_or_replaced_by_hand(backend, location):
    for key in ("kept", "removed", "folder/removed", "replaced"):
        put(backend, key)
    (location / "b/removed").unlink()
    (location / "b/folder/removed").unlink()
    (location / "b/folder").rmdir()
    (location / "b/new").write_bytes(b"by hand")
    (location / "b/new").replace(location / "b/replaced")
    assert backend.sweep() == 3
    assert [json.loads(path.read_text())["key"] for path in sidecars(location)] == ["kept"]
    assert (location / "b/replaced").read_bytes() == b"by hand"


@pytest.mark.usefixtures("beside")
def test_a_broken_file_beside_is_as_good_as_none(backend, location, caplog):
    put(backend, "k", b"data")
    (path,) = sidecars(location)
    path.write_text("{")
    put(backend, "k", b"new", conditions=Conditions(if_match=hashlib.md5(b"data").hexdigest()))
    assert str(path) in caplog.text


def test_a_broken_attribute_is_as_good_as_none(backend, location, caplog):
    put(backend, "secret", b"data")
    os.setxattr(location / "b/secret", ATTRIBUTE, b"{")
    put(backend, "secret", b"new", conditions=Conditions(if_match=hashlib.md5(b"data").hexdigest()))
    assert ATTRIBUTE in caplog.text
    assert "secret" not in caplog.text


# -- folder markers -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("anywhere")
def test_a_folder_marker_is_a_folder_with_a_sidecar(backend, location):
    stored = put(backend, "a/b/", b"", metadata=FOLDER)
    assert stored.etag == hashlib.md5(b"").hexdigest()
    assert (location / "b/a/b").is_dir()
    assert content_type(location, "a/b/") == "application/x-directory"
    put(backend, "a/b/c")
    assert backend.sweep() == 0
    assert content_type(location, "a/b/") == "application/x-directory"


@pytest.mark.usefixtures("anywhere")
def test_conditions_of_a_folder_marker(backend):
    put(backend, "a/child")
    marker = put(backend, "a/", b"", conditions=CREATE)
    with pytest.raises(ConditionFailed):
        put(backend, "a/", b"", conditions=CREATE)
    put(backend, "a/", b"", conditions=Conditions(if_match=marker.etag))


def test_a_folder_marker_holds_no_bytes(backend, location):
    with pytest.raises(KeyNotRepresentable):
        put(backend, "a/", b"x")
    with pytest.raises(KeyNotRepresentable):
        backend.create_multipart_upload(ObjectWrite("b", "a/"), None)
    assert not (location / "b").exists()


@pytest.mark.usefixtures("anywhere")
def test_sweeps_beside_writers_disturb_nobody(backend, location):
    with ThreadPoolExecutor(6) as pool:
        sweeps = [pool.submit(backend.sweep) for _ in range(100)]
        puts = [pool.submit(put, backend, f"{n % 5}/k", str(n).encode(), metadata=FOLDER) for n in range(200)]
        creations = [pool.submit(put, backend, f"new/{n}", b"x", conditions=CREATE) for n in range(50)]
    assert [future.result() for future in sweeps] == [0] * 100
    assert all(future.result() for future in puts + creations)
    assert leftovers_of(location, "b") == []
    assert {content_type(location, f"{n}/k") for n in range(5)} == {"application/x-directory"}
