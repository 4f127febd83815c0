"""The contract of a backend: multipart uploads."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contracts.backend_differences import MIB, BackendDifferences
from tests.contracts.body import BodyBroke, FakeBody, digest
from uploads.backends.base import Capability, CompletedPart, MultipartRef, ObjectWrite, StoredPart
from uploads.backends.errors import (
    ConditionFailed,
    DigestRejected,
    PartInvalid,
    PartTooSmall,
    Unsupported,
    UploadNotFound,
)
from uploads.s3.headers import Conditions, MultipartChecksum, ObjectMetadata

FIRST = b"1" * (5 * MIB)
SECOND = b"2" * (5 * MIB + 1)
LAST = b"3" * 1000
ANY = Conditions()


def begin(backend, bucket, key="k", *, metadata=None, checksum=None) -> MultipartRef:
    write = ObjectWrite(bucket, key, metadata or ObjectMetadata())
    return MultipartRef(bucket, key, backend.create_multipart_upload(write, checksum), checksum)


def send(backend, upload, number, data, checksums=None) -> StoredPart:
    body = FakeBody(data, block_bytes=256 * 1024)
    for algorithm in checksums or {}:
        body.want(algorithm)
    return backend.upload_part(upload, number, body, checksums or {})


def complete(backend, upload, parts: Iterable[StoredPart], *, conditions=ANY, full_checksum=None):
    listed = [CompletedPart(part.part_number, part.etag, part.checksums) for part in parts]
    return backend.complete_multipart_upload(upload, listed, conditions, full_checksum or {})


def etag_of(*parts: bytes) -> str:
    """The ETag S3 gives to an object made of these parts."""
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def needs(algorithm, known) -> None:
    if algorithm not in known:
        pytest.skip("this storage does not know the algorithm")


class MultipartContract(BackendDifferences):
    """Parts, completion, abortion, leftovers."""

    # -- completion ---------------------------------------------------------------------------------------

    def test_a_completion_whose_answer_was_lost_is_found(self, backend, bucket):
        if not self.finds_completed:
            pytest.skip("this storage does not say how an object was made")
        upload = begin(backend, bucket)
        parts = [send(backend, upload, 1, FIRST), send(backend, upload, 2, LAST)]
        listed = [CompletedPart(part.part_number, part.etag) for part in parts]
        assert backend.find_completed(upload, listed) is None
        stored = complete(backend, upload, parts)
        found = backend.find_completed(upload, listed)
        assert found is not None
        assert (found.etag, found.size) == (stored.etag, stored.size)

    def test_an_object_of_another_upload_is_not_found(self, backend, bucket):
        upload, other = begin(backend, bucket), begin(backend, bucket)
        part = send(backend, upload, 1, FIRST)
        complete(backend, other, [send(backend, other, 1, LAST)])
        assert backend.find_completed(upload, [CompletedPart(1, part.etag)]) is None

    def test_parts_in_any_order_become_the_object(self, backend, bucket, read_object, leftovers):
        upload = begin(backend, bucket, "dir/k")
        last = send(backend, upload, 7, LAST)
        first = send(backend, upload, 1, FIRST)
        second = send(backend, upload, 3, SECOND)
        assert read_object("dir/k") is None
        stored = complete(backend, upload, [first, second, last])
        assert read_object("dir/k") == FIRST + SECOND + LAST
        assert stored.size == len(FIRST + SECOND + LAST)
        assert stored.etag == etag_of(FIRST, SECOND, LAST)
        assert leftovers() == []

    @pytest.mark.parametrize("data", [b"", LAST], ids=["empty", "small"])
    def test_a_single_part_may_be_small(self, backend, bucket, read_object, leftovers, data):
        upload = begin(backend, bucket)
        stored = complete(backend, upload, [send(backend, upload, 1, data)])
        assert read_object("k") == data
        assert stored.etag == etag_of(data)
        assert stored.size == len(data)
        assert leftovers() == []

    def test_a_part_tells_what_it_is(self, backend, bucket):
        upload = begin(backend, bucket)
        part = send(backend, upload, 10_000, LAST)
        assert (part.part_number, part.size) == (10_000, len(LAST))
        assert part.etag == hashlib.md5(LAST).hexdigest()

    def test_a_part_sent_again_replaces(self, backend, bucket, read_object, leftovers):
        upload = begin(backend, bucket)
        send(backend, upload, 1, b"wrong")
        again = send(backend, upload, 1, FIRST)
        last = send(backend, upload, 2, LAST)
        assert [part.size for part in backend.list_parts(upload, 0, 1000).parts] == [len(FIRST), len(LAST)]
        complete(backend, upload, [again, last])
        assert read_object("k") == FIRST + LAST
        assert leftovers() == []

    def test_only_the_listed_parts_count(self, backend, bucket, read_object, leftovers):
        upload = begin(backend, bucket)
        first = send(backend, upload, 1, FIRST)
        send(backend, upload, 2, SECOND)
        last = send(backend, upload, 3, LAST)
        stored = complete(backend, upload, [first, last])
        assert read_object("k") == FIRST + LAST
        assert stored.etag == etag_of(FIRST, LAST)
        assert leftovers() == []

    def test_completion_replaces(self, backend, bucket, read_object, leftovers):
        if not self.overwrites:
            pytest.skip("this storage does not overwrite")
        for data in (b"old", b"new"):
            upload = begin(backend, bucket)
            complete(backend, upload, [send(backend, upload, 1, data)])
        assert read_object("k") == b"new"
        assert leftovers() == []

    def test_metadata_of_the_start_is_kept(self, backend, bucket, read_metadata):
        if not self.holds_metadata:
            pytest.skip("refused at the start")
        metadata = ObjectMetadata(content_type="text/x", cache_control="no-store", user={"a": "b"})
        upload = begin(backend, bucket, metadata=metadata)
        complete(backend, upload, [send(backend, upload, 1, LAST)])
        assert read_metadata("k") == metadata

    def test_completed_twice_is_not_found(self, backend, bucket, read_object):
        upload = begin(backend, bucket)
        part = send(backend, upload, 1, LAST)
        complete(backend, upload, [part])
        with pytest.raises(UploadNotFound):
            complete(backend, upload, [part])
        assert read_object("k") == LAST

    # -- completion refused -------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "listed",
        [
            [CompletedPart(1, hashlib.md5(LAST).hexdigest()), CompletedPart(2, "0" * 32)],
            [CompletedPart(1, "0" * 32)],
            [CompletedPart(1, "")],
            [CompletedPart(1, "../../etc/passwd")],
        ],
        ids=["missing part", "wrong etag", "no etag", "etag that is a path"],
    )
    def test_a_list_that_does_not_match_is_refused(self, backend, bucket, read_object, listed):
        upload = begin(backend, bucket)
        part = send(backend, upload, 1, LAST)
        with pytest.raises(PartInvalid):
            backend.complete_multipart_upload(upload, listed, ANY, {})
        assert read_object("k") is None
        complete(backend, upload, [part])
        assert read_object("k") == LAST

    def test_a_part_that_is_too_small_is_refused(self, backend, bucket, read_object, leftovers):
        if not self.enforces_part_size:
            pytest.skip("this storage takes parts of any size")
        upload = begin(backend, bucket)
        small = send(backend, upload, 1, FIRST[:-1])
        last = send(backend, upload, 2, LAST)
        with pytest.raises(PartTooSmall):
            complete(backend, upload, [small, last])
        assert read_object("k") is None
        backend.abort_multipart_upload(upload)
        assert leftovers() == []

    # -- parts --------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("fail_at", [0, 1, -1], ids=["first block", "middle block", "last block"])
    def test_a_body_that_breaks_leaves_no_part(self, backend, bucket, leftovers, fail_at):
        upload = begin(backend, bucket)
        with pytest.raises(BodyBroke):
            backend.upload_part(upload, 1, FakeBody(FIRST, block_bytes=MIB, fail_at=fail_at), {})
        assert backend.list_parts(upload, 0, 1000).parts == ()
        backend.abort_multipart_upload(upload)
        assert leftovers() == []

    def test_a_body_that_breaks_leaves_the_old_part(self, backend, bucket, read_object):
        upload = begin(backend, bucket)
        part = send(backend, upload, 1, LAST)
        with pytest.raises(BodyBroke):
            backend.upload_part(upload, 1, FakeBody(FIRST, block_bytes=MIB, fail_at=-1), {})
        assert [kept.etag for kept in backend.list_parts(upload, 0, 1000).parts] == [part.etag]
        complete(backend, upload, [part])
        assert read_object("k") == LAST

    def test_parts_from_threads(self, backend, bucket, read_object, leftovers):
        upload = begin(backend, bucket)
        data = [bytes([n]) * (5 * MIB + n) for n in range(4)]
        with ThreadPoolExecutor(4) as pool:
            parts = list(pool.map(lambda n: send(backend, upload, n + 1, data[n]), range(4)))
        complete(backend, upload, parts)
        assert read_object("k") == b"".join(data)
        assert leftovers() == []

    def test_one_part_from_threads_is_one_of_them(self, backend, bucket, read_object, leftovers):
        upload = begin(backend, bucket)
        data = [f"writer {n}".encode() for n in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda body: send(backend, upload, 1, body), data))
        (kept,) = backend.list_parts(upload, 0, 1000).parts
        complete(backend, upload, [kept])
        assert read_object("k") in data
        assert hashlib.md5(read_object("k")).hexdigest() == kept.etag
        assert leftovers() == []

    def test_list_parts_pages(self, backend, bucket):
        upload = begin(backend, bucket)
        numbers = [1, 2, 9, 10, 11]
        for number in reversed(numbers):
            send(backend, upload, number, str(number).encode())
        pages, after = [], 0
        while True:
            page = backend.list_parts(upload, after, 2)
            pages.append([part.part_number for part in page.parts])
            if not page.is_truncated:
                break
            after = page.next_part_number_marker
            assert after == pages[-1][-1]
        assert pages == [[1, 2], [9, 10], [11]]
        backend.abort_multipart_upload(upload)

    def test_list_parts_tells_size_etag_and_time(self, backend, bucket):
        upload = begin(backend, bucket)
        sent = send(backend, upload, 2, LAST)
        page = backend.list_parts(upload, 0, 1000)
        (part,) = page.parts
        assert (part.part_number, part.size, part.etag) == (2, len(LAST), sent.etag)
        assert abs(part.last_modified - time.time()) < 120
        assert not page.is_truncated
        assert backend.list_parts(upload, 2, 1000).parts == ()
        backend.abort_multipart_upload(upload)

    # -- upload ids ---------------------------------------------------------------------------------------

    def test_an_aborted_upload_is_gone(self, backend, bucket, read_object, leftovers):
        upload = begin(backend, bucket)
        part = send(backend, upload, 1, LAST)
        backend.abort_multipart_upload(upload)
        assert leftovers() == []
        with pytest.raises(UploadNotFound):
            complete(backend, upload, [part])
        assert read_object("k") is None

    @pytest.mark.parametrize(
        "act",
        [
            lambda backend, upload: send(backend, upload, 1, b"x"),
            lambda backend, upload: backend.list_parts(upload, 0, 10),
            lambda backend, upload: complete(backend, upload, [StoredPart(1, "0" * 32, 1)]),
            lambda backend, upload: backend.abort_multipart_upload(upload),
        ],
        ids=["part", "list", "complete", "abort"],
    )
    @pytest.mark.parametrize(
        "which", ["never was", "aborted", "not an id", "a path", "empty", "another key"], ids=str
    )
    def test_an_unknown_upload_is_not_found(self, backend, bucket, read_object, leftovers, act, which):
        if which == "another key" and not self.binds_upload_to_key:
            pytest.skip("this storage does not look")
        real = begin(backend, bucket, "real")
        if which == "aborted":
            backend.abort_multipart_upload(real)
        asked = {
            "never was": MultipartRef(bucket, "real", real.backend_id[::-1]),
            "aborted": real,
            "not an id": MultipartRef(bucket, "real", "no such upload"),
            "a path": MultipartRef(bucket, "real", f"../multipart/{real.backend_id}"),
            "empty": MultipartRef(bucket, "real", ""),
            "another key": MultipartRef(bucket, "other", real.backend_id),
        }[which]
        with pytest.raises(UploadNotFound):
            act(backend, asked)
        if which != "aborted":
            backend.abort_multipart_upload(real)
        assert read_object("real") is None
        assert read_object("other") is None
        assert leftovers() == []

    def test_a_part_of_an_unknown_upload_costs_no_body(self, backend, bucket):
        upload = begin(backend, bucket)
        backend.abort_multipart_upload(upload)
        body = FakeBody(FIRST, block_bytes=MIB)
        with pytest.raises(UploadNotFound):
            backend.upload_part(upload, 1, body, {})
        assert body.pulled <= self.blocks_to_find_out

    # -- checksums ----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "sha1", "sha256"])
    def test_composite_checksum(self, backend, bucket, read_object, algorithm):
        needs(algorithm, self.composite_checksums)
        upload = begin(backend, bucket, checksum=MultipartChecksum(algorithm, "COMPOSITE"))
        raws = [digest(algorithm, data) for data in (FIRST, LAST)]
        parts = [
            send(backend, upload, n, data, {algorithm: raw})
            for n, data, raw in zip((1, 2), (FIRST, LAST), raws, strict=True)
        ]
        assert [part.checksums[algorithm] for part in parts] == [base64_of(raw) for raw in raws]
        stored = complete(backend, upload, parts)
        assert stored.checksums[algorithm] == f"{base64_of(digest(algorithm, b''.join(raws)))}-2"
        assert stored.checksum_type == "COMPOSITE"
        assert read_object("k") == FIRST + LAST

    @pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme"])
    @pytest.mark.parametrize("claimed", [True, False], ids=["claimed", "not claimed"])
    def test_full_object_checksum(self, backend, bucket, read_object, algorithm, claimed):
        needs(algorithm, self.full_object_checksums)
        upload = begin(backend, bucket, checksum=MultipartChecksum(algorithm, "FULL_OBJECT"))
        parts = [
            send(backend, upload, n, data, {algorithm: digest(algorithm, data)})
            for n, data in ((1, FIRST), (2, LAST))
        ]
        whole = base64_of(digest(algorithm, FIRST + LAST))
        stored = complete(backend, upload, parts, full_checksum={algorithm: whole} if claimed else {})
        assert stored.checksums[algorithm] == whole
        assert stored.checksum_type == "FULL_OBJECT"
        assert read_object("k") == FIRST + LAST

    @pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme"])
    def test_a_wrong_full_object_checksum_is_refused(self, backend, bucket, read_object, algorithm):
        needs(algorithm, self.full_object_checksums)
        upload = begin(backend, bucket, checksum=MultipartChecksum(algorithm, "FULL_OBJECT"))
        part = send(backend, upload, 1, LAST, {algorithm: digest(algorithm, LAST)})
        wrong = {algorithm: base64_of(digest(algorithm, b"something else"))}
        with pytest.raises(DigestRejected):
            complete(backend, upload, [part], full_checksum=wrong)
        assert read_object("k") is None
        backend.abort_multipart_upload(upload)

    def test_a_wrong_checksum_of_a_part_is_refused(self, backend, bucket, read_object):
        needs("sha256", self.composite_checksums)
        upload = begin(backend, bucket, checksum=MultipartChecksum("sha256", "COMPOSITE"))
        part = send(backend, upload, 1, LAST, {"sha256": digest("sha256", LAST)})
        wrong = CompletedPart(1, part.etag, {"sha256": base64_of(digest("sha256", b"something else"))})
        with pytest.raises(PartInvalid):
            backend.complete_multipart_upload(upload, [wrong], ANY, {})
        assert read_object("k") is None
        backend.abort_multipart_upload(upload)

    # -- conditions ---------------------------------------------------------------------------------------

    def test_if_none_match_holds_at_completion(self, backend, bucket, read_object):
        if Capability.IF_NONE_MATCH not in backend.capabilities:
            pytest.skip("refused: see the test of capabilities")
        upload = begin(backend, bucket)
        part = send(backend, upload, 1, LAST)
        backend.put_object(ObjectWrite(bucket, "k"), FakeBody(b"came first"))
        with pytest.raises(ConditionFailed):
            complete(backend, upload, [part], conditions=Conditions(if_none_match=True))
        assert read_object("k") == b"came first"
        backend.abort_multipart_upload(upload)
        other = begin(backend, bucket, "fresh")
        complete(
            backend,
            other,
            [send(backend, other, 1, LAST)],
            conditions=Conditions(if_none_match=True),
        )
        assert read_object("fresh") == LAST

    def test_if_match_holds_at_completion(self, backend, bucket, read_object):
        if Capability.IF_MATCH not in backend.capabilities:
            pytest.skip("refused: see the test of capabilities")
        old = backend.put_object(ObjectWrite(bucket, "k"), FakeBody(b"old"))
        upload = begin(backend, bucket)
        part = send(backend, upload, 1, LAST)
        with pytest.raises(ConditionFailed):
            complete(backend, upload, [part], conditions=Conditions(if_match="0" * 32))
        assert read_object("k") == b"old"
        complete(backend, upload, [part], conditions=Conditions(if_match=old.etag))
        assert read_object("k") == LAST

    @pytest.mark.parametrize(
        ("capability", "conditions"),
        [
            (Capability.IF_NONE_MATCH, Conditions(if_none_match=True)),
            (Capability.IF_MATCH, Conditions(if_match="0" * 32)),
        ],
        ids=["if-none-match", "if-match"],
    )
    def test_conditions_it_cannot_honour_are_refused_at_completion(
        self, backend, bucket, read_object, leftovers, capability, conditions
    ):
        if capability in backend.capabilities:
            pytest.skip("honoured")
        upload = begin(backend, bucket)
        part = send(backend, upload, 1, LAST)
        with pytest.raises(Unsupported):
            complete(backend, upload, [part], conditions=conditions)
        assert read_object("k") is None
        backend.abort_multipart_upload(upload)
        assert leftovers() == []

    # -- leftovers ----------------------------------------------------------------------------------------

    def test_stale_uploads_are_found_by_bucket_prefix_and_time(self, backend, bucket):
        started = time.time()
        uploads = [begin(backend, bucket, key) for key in ("in/a", "in/b", "out/c")]
        tomorrow = time.time() + 86_400
        found = backend.stale_uploads(bucket, "in/", tomorrow)
        assert {(stale.ref.key, stale.ref.backend_id) for stale in found} == {
            (upload.key, upload.backend_id) for upload in uploads[:2]
        }
        assert {stale.ref.bucket for stale in found} == {bucket}
        assert all(abs(stale.initiated - started) < 120 for stale in found)
        assert not backend.stale_uploads(bucket, "in/", started - 3600)
        for stale in backend.stale_uploads(bucket, "", tomorrow):
            backend.abort_multipart_upload(stale.ref)
        assert not backend.stale_uploads(bucket, "", tomorrow)

    def test_sweep_spares_what_lives(self, backend, bucket, read_object, leftovers):
        backend.put_object(ObjectWrite(bucket, "kept"), FakeBody(b"kept"))
        upload = begin(backend, bucket)
        part = send(backend, upload, 1, LAST)
        assert backend.sweep() == 0
        complete(backend, upload, [part])
        assert (read_object("kept"), read_object("k")) == (b"kept", LAST)
        assert leftovers() == []
