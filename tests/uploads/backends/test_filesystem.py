"""What the filesystem backend adds to the contract: files as files, keys as paths, honest errors."""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.contracts.body import MIB, FakeBody
from tests.uploads.backends.test_filesystem_contract import leftovers_of
from uploads.backends import part_store
from uploads.backends.base import CompletedPart, MultipartRef, ObjectWrite
from uploads.backends.errors import (
    BackendDenied,
    BackendError,
    BackendMisconfigured,
    BackendRefused,
    BackendUnavailable,
    KeyNotRepresentable,
    OutOfSpace,
    PartInvalid,
    UploadNotFound,
)
from uploads.backends.filesystem import FilesystemBackend
from uploads.config import FilesystemStorageConfig
from uploads.s3.headers import Conditions, MultipartChecksum, ObjectMetadata

CREATE = Conditions(if_none_match=True)


@pytest.fixture
def location(tmp_path):
    return tmp_path / "objects"


@pytest.fixture
def backend(location):
    return FilesystemBackend(FilesystemStorageConfig("local", location))


def put(backend, key, data=b"x", *, conditions=None, metadata=None):
    write = ObjectWrite("b", key, metadata or ObjectMetadata(), conditions or Conditions())
    return backend.put_object(write, FakeBody(data))


def begin(backend, key="k", checksum=None):
    return MultipartRef("b", key, backend.create_multipart_upload(ObjectWrite("b", key), checksum), checksum)


def send(backend, upload, number, data):
    part = backend.upload_part(upload, number, FakeBody(data, block_bytes=MIB), {})
    return CompletedPart(part.part_number, part.etag)


# -- files as files -----------------------------------------------------------------------------------------


def test_objects_are_plain_files_and_nothing_else_is_in_the_bucket(backend, location):
    put(backend, "a/b.txt", b"hello")
    names = [path.relative_to(location).as_posix() for path in (location / "b").rglob("*")]
    assert names == ["b/a", "b/a/b.txt"]
    assert (location / "b/a/b.txt").read_bytes() == b"hello"


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "expected"),
    [(0o640, 0o750, ("640", "750")), (None, None, ("604", "705"))],
    ids=["from the settings", "from the umask"],
)
def test_permissions_are_those_of_djangos_storage(
    location, settings_of_django, file_mode, folder_mode, expected
):
    settings_of_django(FILE_UPLOAD_PERMISSIONS=file_mode, FILE_UPLOAD_DIRECTORY_PERMISSIONS=folder_mode)
    backend = FilesystemBackend(FilesystemStorageConfig("local", location))
    before = os.umask(0o072)
    try:
        put(backend, "folder/k")
        upload = begin(backend, "folder/m")
        backend.complete_multipart_upload(upload, [send(backend, upload, 1, b"x")], Conditions(), {})
    finally:
        os.umask(before)
    modes = [
        f"{stat.S_IMODE((location / 'b' / path).stat().st_mode):o}"
        for path in ("folder/k", "folder/m", "folder")
    ]
    assert modes == [expected[0], expected[0], expected[1]]


@pytest.fixture
def settings_of_django():
    from django.test.utils import override_settings

    active = []

    def override(**values):
        active.append(override_settings(**values))
        active[-1].enable()

    yield override
    for overridden in active:
        overridden.disable()


# -- keys as paths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/a",
        "a//b",
        "a//",
        ".",
        "..",
        "../b2/k",
        "a/../k",
        "a/./k",
        "a/..",
        "x" * 256,
        "ü" * 128,
        "a\0b",
    ],
)
def test_keys_that_are_no_path_are_refused(backend, location, key):
    body = FakeBody(b"x")
    with pytest.raises(KeyNotRepresentable):
        backend.put_object(ObjectWrite("b", key), body)
    with pytest.raises(KeyNotRepresentable):
        backend.create_multipart_upload(ObjectWrite("b", key), None)
    assert body.pulled == 0
    assert not location.exists() or not (location / "b").exists()


def test_a_segment_may_have_255_bytes(backend, location):
    put(backend, "ü" * 127 + "x", b"long")
    assert (location / "b" / ("ü" * 127 + "x")).read_bytes() == b"long"


@pytest.mark.parametrize("bucket", ["", ".", "..", ".mizuchi", "a/b", "../x", "a\0"])
def test_a_bucket_that_is_no_visible_folder_is_the_operators_mistake(backend, bucket):
    with pytest.raises(BackendMisconfigured):
        backend.put_object(ObjectWrite(bucket, "k"), FakeBody(b"x"))
    with pytest.raises(BackendMisconfigured):
        backend.check(bucket)


@pytest.mark.parametrize(
    ("first", "second"),
    [("a", "a/b"), ("a", "a/b/c"), ("a/b", "a"), ("a", "a/"), ("a/", "a")],
    ids=["below an object", "far below an object", "a folder", "marker on object", "object on marker"],
)
@pytest.mark.parametrize("conditions", [Conditions(), CREATE], ids=["unconditional", "if-none-match"])
def test_a_name_is_either_an_object_or_a_folder(backend, location, first, second, conditions):
    put(backend, first, b"" if first.endswith("/") else b"first")
    body = FakeBody(b"" if second.endswith("/") else b"second")
    with pytest.raises(KeyNotRepresentable):
        backend.put_object(ObjectWrite("b", second, conditions=conditions), body)
    assert body.pulled == 0
    assert leftovers_of(location, "b") == []


@pytest.mark.parametrize("key", ["link/k", "a/link/k", "link", "dangling"])
def test_symbolic_links_lead_nowhere(backend, location, tmp_path, key):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "k").write_bytes(b"secret")
    (location / "b/a").mkdir(parents=True)
    (location / "b/link").symlink_to(outside)
    (location / "b/a/link").symlink_to(outside)
    (location / "b/dangling").symlink_to(outside / "nothing")
    with pytest.raises(KeyNotRepresentable):
        put(backend, key)
    assert [path.name for path in outside.iterdir()] == ["k"]
    assert (outside / "k").read_bytes() == b"secret"


def test_a_folder_swapped_for_a_link_while_the_body_flows_leads_nowhere(backend, location, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    put(backend, "folder/old")

    class Swapping(FakeBody):
        def __iter__(self):
            (location / "b/folder").rename(location / "b/moved")
            (location / "b/folder").symlink_to(outside)
            yield from super().__iter__()

    with pytest.raises(KeyNotRepresentable):
        backend.put_object(ObjectWrite("b", "folder/k"), Swapping(b"x"))
    assert list(outside.iterdir()) == []


# -- multipart ----------------------------------------------------------------------------------------------


def test_a_checksum_the_upload_was_not_begun_with_is_refused(backend):
    upload = begin(backend)
    part = send(backend, upload, 1, b"x")
    with pytest.raises(BackendRefused, match="checksum"):
        backend.complete_multipart_upload(upload, [part], Conditions(), {"crc32": "AAAAAA=="})


def test_parts_have_the_checksum_the_upload_was_begun_with(backend):
    upload = begin(backend, checksum=MultipartChecksum("crc64nvme", "FULL_OBJECT"))
    part = backend.upload_part(upload, 1, FakeBody(b"123456789"), {})
    assert part.checksums == {"crc64nvme": "rosUhgp5mIg="}


def test_where_files_cannot_be_copied_in_the_kernel_they_are_read(backend, location, monkeypatch):
    def refuse(*args):
        raise OSError(errno.EXDEV, "no")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    upload = begin(backend)
    parts = [send(backend, upload, 1, b"1" * (5 * MIB)), send(backend, upload, 2, b"22")]
    backend.complete_multipart_upload(upload, parts, Conditions(), {})
    assert (location / "b/k").read_bytes() == b"1" * (5 * MIB) + b"22"


def test_where_files_have_one_name_only_a_single_part_is_copied(backend, location, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "link", refuse)
    upload = begin(backend)
    part = send(backend, upload, 1, b"data")
    backend.complete_multipart_upload(upload, [part], Conditions(), {})
    assert (location / "b/k").read_bytes() == b"data"
    assert leftovers_of(location, "b") == []


def test_completion_abortion_and_parts_at_once_end_well(backend, location):
    for attempt in range(15):
        key = f"k{attempt}"
        upload = begin(backend, key)
        part = send(backend, upload, 1, b"data")

        def complete(upload=upload, part=part):
            return backend.complete_multipart_upload(upload, [part], Conditions(), {})

        def again(upload=upload):
            return send(backend, upload, 1, b"data")

        def abort(upload=upload):
            return backend.abort_multipart_upload(upload)

        def ending(act):
            with suppress(UploadNotFound):
                act()
                return act
            return None

        with ThreadPoolExecutor(6) as pool:
            ended = list(pool.map(ending, [complete, again, abort, complete, again, abort]))
        finished = [act for act in ended if act in (complete, abort)]
        assert len(finished) == 1
        assert (location / "b" / key).exists() == (finished == [complete])
    assert leftovers_of(location, "b") == []


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 1, "bucket": "b"}'])
def test_an_upload_with_a_broken_manifest_is_as_good_as_none(backend, location, content, caplog):
    upload, other = begin(backend), begin(backend)
    manifest = location / ".mizuchi/multipart" / upload.backend_id / "manifest.json"
    manifest.write_text(content)
    with pytest.raises(UploadNotFound):
        send(backend, upload, 1, b"x")
    assert [stale.ref for stale in backend.stale_uploads("b", "", 1e12)] == [other]
    assert str(manifest) in caplog.text


def test_a_part_whose_bytes_are_lost_is_no_part(backend, location):
    upload = begin(backend)
    part = send(backend, upload, 1, b"data")
    (data,) = (location / ".mizuchi/multipart").rglob("part-00001.[0-9a-f]*")
    data.write_bytes(b"dat")
    with pytest.raises(PartInvalid):
        backend.complete_multipart_upload(upload, [part], Conditions(), {})


def test_sweep_removes_an_upload_whose_creation_died(backend, location):
    half_made = location / ".mizuchi/multipart" / ("0" * 32)
    half_made.mkdir(parents=True)
    assert backend.sweep() == 0
    os.utime(half_made, (0, 0))
    assert backend.sweep() == 1
    assert not half_made.exists()


# -- errors of the system -----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, OutOfSpace), (errno.EIO, BackendUnavailable)])
def test_a_put_that_the_system_fails_leaves_nothing(backend, location, monkeypatch, call, code, kind):
    put(backend, "other")
    real = getattr(os, call)

    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(kind):
        put(backend, "k", b"x")
    monkeypatch.setattr(os, call, real)
    assert not (location / "b/k").exists()
    assert leftovers_of(location, "b") == []


def test_errors_of_the_body_stay_what_they_are(backend):
    class Broken(FakeBody):
        def __iter__(self):
            raise ConnectionResetError(errno.ECONNRESET, "the client's")

    with pytest.raises(ConnectionResetError):
        backend.put_object(ObjectWrite("b", "k"), Broken(b"x"))
    with pytest.raises(ConnectionResetError):
        backend.upload_part(begin(backend), 1, Broken(b"x"), {})


# -- readiness ----------------------------------------------------------------------------------------------


def test_check_creates_the_bucket(backend, location):
    backend.check("b")
    assert (location / "b").is_dir()


def test_check_finds_a_location_that_is_no_folder(location):
    location.write_bytes(b"")
    with pytest.raises(BackendError):
        FilesystemBackend(FilesystemStorageConfig("local", location)).check("b")


def test_check_finds_a_location_that_cannot_be_written(backend, location, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(BackendDenied):
        backend.check("b")


@pytest.mark.parametrize("lacking", ["f_bavail", "f_favail"])
def test_check_finds_a_full_disk(backend, monkeypatch, lacking):
    class Room:
        f_bavail = 1
        f_files = 1
        f_favail = 1

    setattr(Room, lacking, 0)
    monkeypatch.setattr(os, "statvfs", lambda path: Room)
    with pytest.raises(OutOfSpace):
        backend.check("b")


@pytest.mark.parametrize("moment", ["part_numbers", "read_part"])
def test_a_list_of_parts_is_whole_or_the_upload_is_over(backend, monkeypatch, moment):
    """One that is completed or aborted while it is listed has no parts any more: that is no list of none."""
    upload = begin(backend)
    send(backend, upload, 1, b"x")
    before = getattr(part_store, moment)

    def after_an_abort(*arguments):
        with suppress(UploadNotFound):
            backend.abort_multipart_upload(upload)
        return before(*arguments)

    monkeypatch.setattr(part_store, moment, after_an_abort)

    with pytest.raises(UploadNotFound):
        backend.list_parts(upload, 0, 1000)
