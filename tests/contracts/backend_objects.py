"""The contract of a backend: single objects, conditions, capabilities."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from tests.contracts.backend_differences import BackendDifferences
from tests.contracts.body import BodyBroke, FakeBody, digest
from uploads.backends.base import Capability, ObjectWrite, StoredObject
from uploads.backends.errors import ConditionConflict, ConditionFailed, Unsupported
from uploads.s3.headers import Conditions, ObjectMetadata

BLOCK = 64 * 1024
SEVERAL_BLOCKS = bytes(range(256)) * 1000

KEYS = {
    "plain": "hello.txt",
    "nested": "2026/11/07/hello.txt",
    "unicode": "grüße/日本語-🐍.txt",
    "spaces and signs": "a b/c+d&e=f;g,h'i(j)!*~@$:%41.txt",
    "percent and question": "100%25?x=1#frag",
    "dots inside": "a..b/...c/.hidden",
    "long segment": "x" * 200 + "/" + "y" * 200,
}

CONTENT_HEADERS = ObjectMetadata(
    content_type="text/plain; charset=utf-8",
    cache_control="max-age=60, private",
    content_disposition='attachment; filename="x.txt"',
    content_encoding="gzip",
    content_language="de, en",
    user={"origin": "camera 7", "x-y": "1;2"},
)

#: What each capability looks like when a client asks for it.
ASKING: dict[Capability, ObjectMetadata | Conditions] = {
    Capability.TAGGING: ObjectMetadata(tagging="a=b"),
    Capability.STORAGE_CLASS: ObjectMetadata(storage_class="GLACIER"),
    Capability.ACL: ObjectMetadata(acl="public-read"),
    Capability.ENCRYPTION: ObjectMetadata(encryption={"x-amz-server-side-encryption": "AES256"}),
    Capability.WEBSITE_REDIRECT: ObjectMetadata(website_redirect_location="/elsewhere"),
    Capability.IF_NONE_MATCH: Conditions(if_none_match=True),
    Capability.IF_MATCH: Conditions(if_match="00000000000000000000000000000000"),
}


def asking(write: ObjectWrite, capability: Capability) -> ObjectWrite:
    asked = ASKING[capability]
    if isinstance(asked, Conditions):
        return replace(write, conditions=asked)
    return replace(write, metadata=asked)


def put(backend, bucket, key, data=b"", *, conditions=None, metadata=None) -> StoredObject:
    write = ObjectWrite(bucket, key, metadata or ObjectMetadata(), conditions or Conditions())
    return backend.put_object(write, FakeBody(data, block_bytes=BLOCK))


def outcome(attempt) -> StoredObject | Exception:
    try:
        return attempt()
    except (ConditionFailed, ConditionConflict) as refused:
        return refused


class ObjectContract(BackendDifferences):
    """Put, conditions and capabilities."""

    # -- bytes and names ----------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "data",
        [b"", b"x", b"hello", SEVERAL_BLOCKS, b"z" * BLOCK, b"z" * (3 * BLOCK)],
        ids=["empty", "one byte", "small", "several blocks", "one whole block", "three whole blocks"],
    )
    @pytest.mark.parametrize("promised", [True, False], ids=["length promised", "no length"])
    def test_put_stores_the_bytes(self, backend, bucket, read_object, leftovers, data, promised):
        body = FakeBody(data, block_bytes=BLOCK, promised=promised)
        stored = backend.put_object(ObjectWrite(bucket, "dir/k"), body)
        assert read_object("dir/k") == data
        assert stored.size == len(data)
        assert stored.etag == hashlib.md5(data).hexdigest()
        assert leftovers() == []

    @pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
    def test_put_stores_under_the_exact_key(self, backend, bucket, read_object, key):
        put(backend, bucket, key, b"here")
        assert read_object(key) == b"here"

    def test_put_replaces(self, backend, bucket, read_object, leftovers):
        if not self.overwrites:
            pytest.skip("this storage does not overwrite")
        put(backend, bucket, "k", b"old and longer", metadata=ObjectMetadata(content_type="text/old"))
        stored = put(backend, bucket, "k", b"new")
        assert read_object("k") == b"new"
        assert stored.etag == hashlib.md5(b"new").hexdigest()
        assert leftovers() == []

    def test_put_refuses_to_rename_where_it_cannot_replace(self, backend, bucket, read_object, leftovers):
        if self.overwrites:
            pytest.skip("this storage overwrites")
        put(backend, bucket, "k", b"old")
        with pytest.raises(ConditionFailed):
            put(backend, bucket, "k", b"new")
        assert read_object("k") == b"old"
        assert leftovers() == []

    @pytest.mark.parametrize("fail_at", [0, 1, -1], ids=["first block", "middle block", "last block"])
    @pytest.mark.parametrize("promised", [True, False], ids=["length promised", "no length"])
    def test_a_body_that_breaks_leaves_nothing(
        self, backend, bucket, read_object, leftovers, fail_at, promised
    ):
        body = FakeBody(SEVERAL_BLOCKS, block_bytes=BLOCK, promised=promised, fail_at=fail_at)
        with pytest.raises(BodyBroke):
            backend.put_object(ObjectWrite(bucket, "new/folder/k"), body)
        assert read_object("new/folder/k") is None
        assert leftovers() == []

    def test_an_empty_body_that_breaks_leaves_nothing(self, backend, bucket, read_object, leftovers):
        with pytest.raises(BodyBroke):
            backend.put_object(ObjectWrite(bucket, "k"), FakeBody(b"", fail_at=0))
        assert read_object("k") is None
        assert leftovers() == []

    @pytest.mark.parametrize("fail_at", [0, 1, -1], ids=["first block", "middle block", "last block"])
    def test_a_body_that_breaks_leaves_the_old_object(
        self, backend, bucket, read_object, read_metadata, leftovers, fail_at
    ):
        put(backend, bucket, "k", b"old", metadata=ObjectMetadata(content_type="text/old"))
        with pytest.raises(BodyBroke):
            backend.put_object(
                ObjectWrite(bucket, "k", ObjectMetadata(content_type="text/new")),
                FakeBody(SEVERAL_BLOCKS, block_bytes=BLOCK, fail_at=fail_at),
            )
        assert read_object("k") == b"old"
        if self.holds_content_type:
            assert read_metadata("k").content_type == "text/old"
        assert leftovers() == []

    def test_puts_from_threads_do_not_mix(self, backend, bucket, read_object, leftovers):
        bodies = {f"t/{n}": bytes([n]) * (2 * BLOCK + n) for n in range(8)}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda item: put(backend, bucket, *item), bodies.items()))
        assert {key: read_object(key) for key in bodies} == bodies
        assert leftovers() == []

    # -- metadata and digests -----------------------------------------------------------------------------

    def test_content_type_is_kept(self, backend, bucket, read_metadata):
        if not self.holds_content_type:
            pytest.skip("this storage has nowhere to keep a Content-Type")
        put(backend, bucket, "k", b"x", metadata=ObjectMetadata(content_type="image/svg+xml"))
        assert read_metadata("k").content_type == "image/svg+xml"

    def test_metadata_is_kept(self, backend, bucket, read_metadata):
        if not self.holds_metadata:
            pytest.skip("refused: see the next test")
        put(backend, bucket, "k", b"x", metadata=CONTENT_HEADERS)
        assert read_metadata("k") == CONTENT_HEADERS

    @pytest.mark.parametrize(
        "metadata",
        [
            ObjectMetadata(cache_control="no-store"),
            ObjectMetadata(content_disposition="inline"),
            ObjectMetadata(content_encoding="gzip"),
            ObjectMetadata(content_language="de"),
            ObjectMetadata(expires="Wed, 21 Oct 2026 07:28:00 GMT"),
            ObjectMetadata(user={"a": "b"}),
        ],
        ids=["cache-control", "disposition", "encoding", "language", "expires", "user"],
    )
    def test_metadata_that_cannot_be_kept_is_refused(self, backend, bucket, leftovers, metadata):
        if self.holds_metadata:
            pytest.skip("kept: see the test before")
        body = FakeBody(b"x")
        with pytest.raises(Unsupported):
            backend.put_object(ObjectWrite(bucket, "k", metadata), body)
        with pytest.raises(Unsupported):
            backend.create_multipart_upload(ObjectWrite(bucket, "k", metadata), None)
        assert body.pulled == 0
        assert leftovers() == []

    def test_replacing_replaces_the_metadata(self, backend, bucket, read_metadata):
        if not (self.holds_metadata and self.overwrites):
            pytest.skip("nothing to replace")
        put(backend, bucket, "k", b"x", metadata=CONTENT_HEADERS)
        put(backend, bucket, "k", b"x", metadata=ObjectMetadata(content_type="text/new"))
        assert read_metadata("k") == ObjectMetadata(content_type="text/new")

    @pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
    def test_checksums_come_back(self, backend, bucket, read_object, algorithm):
        if algorithm not in self.put_checksums:
            pytest.skip("this storage does not know the algorithm")
        raw = digest(algorithm, SEVERAL_BLOCKS)
        body = FakeBody(SEVERAL_BLOCKS)
        body.want(algorithm)
        stored = backend.put_object(ObjectWrite(bucket, "k", checksums={algorithm: raw}), body)
        assert stored.checksums[algorithm] == base64.b64encode(raw).decode()
        assert stored.checksum_type == "FULL_OBJECT"
        assert read_object("k") == SEVERAL_BLOCKS

    # -- conditions ---------------------------------------------------------------------------------------

    def _needs(self, backend, capability):
        if capability not in backend.capabilities:
            pytest.skip("refused: see the tests of capabilities")

    def test_if_none_match_creates(self, backend, bucket, read_object):
        self._needs(backend, Capability.IF_NONE_MATCH)
        put(backend, bucket, "a/k", b"first", conditions=Conditions(if_none_match=True))
        assert read_object("a/k") == b"first"

    def test_if_none_match_keeps_what_is_there(self, backend, bucket, read_object, leftovers):
        self._needs(backend, Capability.IF_NONE_MATCH)
        put(backend, bucket, "k", b"first")
        with pytest.raises(ConditionFailed):
            put(backend, bucket, "k", b"second", conditions=Conditions(if_none_match=True))
        assert read_object("k") == b"first"
        assert leftovers() == []

    def test_if_none_match_has_one_winner(self, backend, bucket, read_object, leftovers):
        self._needs(backend, Capability.IF_NONE_MATCH)
        for attempt in range(10):
            key, start = f"race/{attempt}", Barrier(4)

            def race(n, key=key, start=start):
                start.wait()
                return outcome(
                    lambda: put(
                        backend,
                        bucket,
                        key,
                        f"writer {n}".encode(),
                        conditions=Conditions(if_none_match=True),
                    )
                )

            with ThreadPoolExecutor(4) as pool:
                results = list(pool.map(race, range(4)))
            winners = [n for n, result in enumerate(results) if isinstance(result, StoredObject)]
            assert len(winners) == 1
            assert read_object(key) == f"writer {winners[0]}".encode()
        assert leftovers() == []

    def test_if_match_replaces_the_right_object(self, backend, bucket, read_object):
        self._needs(backend, Capability.IF_MATCH)
        first = put(backend, bucket, "k", b"first")
        put(backend, bucket, "k", b"second", conditions=Conditions(if_match=first.etag))
        assert read_object("k") == b"second"

    def test_if_match_keeps_another_object(self, backend, bucket, read_object, leftovers):
        self._needs(backend, Capability.IF_MATCH)
        first = put(backend, bucket, "k", b"first")
        put(backend, bucket, "k", b"second")
        with pytest.raises(ConditionFailed):
            put(backend, bucket, "k", b"third", conditions=Conditions(if_match=first.etag))
        assert read_object("k") == b"second"
        assert leftovers() == []

    def test_if_match_needs_an_object(self, backend, bucket, read_object, leftovers):
        self._needs(backend, Capability.IF_MATCH)
        conditions = Conditions(if_match=hashlib.md5(b"").hexdigest())
        with pytest.raises(ConditionFailed):
            put(backend, bucket, "new/k", b"x", conditions=conditions)
        assert read_object("new/k") is None
        assert leftovers() == []

    def test_if_match_has_one_winner(self, backend, bucket, read_object, leftovers):
        self._needs(backend, Capability.IF_MATCH)
        base = put(backend, bucket, "k", b"base")
        start = Barrier(4)

        def race(n):
            start.wait()
            data = f"writer {n}".encode()
            return outcome(lambda: put(backend, bucket, "k", data, conditions=Conditions(if_match=base.etag)))

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(race, range(4)))
        winners = [n for n, result in enumerate(results) if isinstance(result, StoredObject)]
        assert len(winners) == 1
        assert read_object("k") == f"writer {winners[0]}".encode()
        assert leftovers() == []

    # -- capabilities -------------------------------------------------------------------------------------

    @pytest.mark.parametrize("capability", list(Capability), ids=lambda capability: capability.name.lower())
    def test_what_it_cannot_honour_is_refused_before_the_body(
        self, backend, bucket, read_object, leftovers, capability
    ):
        if capability in backend.capabilities:
            pytest.skip("honoured")
        body = FakeBody(b"x")
        with pytest.raises(Unsupported):
            backend.put_object(asking(ObjectWrite(bucket, "k"), capability), body)
        assert body.pulled == 0
        assert read_object("k") is None
        assert leftovers() == []

    @pytest.mark.parametrize("capability", list(Capability), ids=lambda capability: capability.name.lower())
    def test_what_it_cannot_honour_is_refused_at_the_start_of_a_multipart_upload(
        self, backend, bucket, leftovers, capability
    ):
        if capability in backend.capabilities:
            pytest.skip("honoured")
        with pytest.raises(Unsupported):
            backend.create_multipart_upload(asking(ObjectWrite(bucket, "k"), capability), None)
        assert leftovers() == []

    @pytest.mark.parametrize(
        "metadata",
        [
            ObjectMetadata(storage_class="STANDARD"),
            ObjectMetadata(acl="private"),
            ObjectMetadata(acl="bucket-owner-full-control"),
        ],
        ids=["standard class", "private", "bucket owner"],
    )
    def test_defaults_that_clients_spell_out_are_accepted(self, backend, bucket, read_object, metadata):
        put(backend, bucket, "k", b"x", metadata=metadata)
        assert read_object("k") == b"x"

    def test_the_bucket_is_ready(self, backend, bucket):
        backend.check(bucket)
