"""Digests beside the transfer: the same with and without a helper thread, and no thread outlives its body."""

from __future__ import annotations

import hashlib
import threading
import zlib

import pytest

from uploads.body import digesting
from uploads.body.digesting import THREAD_FROM_BYTES, StreamDigests

BLOCK = 65536


def helper_threads():
    return [thread for thread in threading.enumerate() if thread.name == "body-digests"]


def blocks(size):
    data = bytes(range(256)) * (size // 256)
    return [data[at : at + BLOCK] for at in range(0, size, BLOCK)]


@pytest.mark.parametrize("promised", [None, "all"])
@pytest.mark.parametrize("size", [0, BLOCK, THREAD_FROM_BYTES, 3 * THREAD_FROM_BYTES])
def test_digests(size, promised):
    body = blocks(size)
    with StreamDigests(["md5", "sha256", "crc32"], size if promised else None) as digests:
        for block in body:
            digests.update(block)
        computed = digests.finish()
    whole = b"".join(body)
    assert computed == {
        "md5": hashlib.md5(whole).digest(),
        "sha256": hashlib.sha256(whole).digest(),
        "crc32": zlib.crc32(whole).to_bytes(4, "big"),
    }
    assert not helper_threads()


@pytest.mark.parametrize(
    ("algorithms", "length", "count", "threads"),
    [
        pytest.param(["md5"], THREAD_FROM_BYTES, 1, 1, id="large by promise: from the first block"),
        pytest.param(["md5"], THREAD_FROM_BYTES - 1, 1, 0, id="small by promise"),
        pytest.param(["md5"], None, THREAD_FROM_BYTES // BLOCK, 1, id="grown large"),
        pytest.param(["md5"], None, THREAD_FROM_BYTES // BLOCK - 1, 0, id="not grown large"),
        pytest.param(["crc64nvme"], THREAD_FROM_BYTES, 1, 0, id="CRCs need none"),
        pytest.param([], THREAD_FROM_BYTES, 1, 0, id="nothing to compute"),
    ],
)
def test_when_a_thread_is_started(algorithms, length, count, threads):
    with StreamDigests(algorithms, length) as digests:
        for _ in range(count):
            digests.update(bytes(BLOCK))
        assert len(helper_threads()) == threads
    assert not helper_threads()


def update(count):
    with StreamDigests(["md5"], THREAD_FROM_BYTES) as digests:
        for _ in range(count):
            digests.update(bytes(BLOCK))
        return digests.finish()


def test_the_thread_ends_when_the_body_is_given_up():
    digests = StreamDigests(["sha1"], THREAD_FROM_BYTES)
    with digests:
        digests.update(bytes(BLOCK))
        assert helper_threads()
    assert not helper_threads()


class FailingHasher:
    def update(self, data):
        raise MemoryError

    def digest(self):
        raise AssertionError("a digest that failed was used")


def test_an_error_in_the_thread_is_raised_to_the_reader(monkeypatch):
    monkeypatch.setattr(digesting.checksums, "new", lambda algorithm: FailingHasher())
    with pytest.raises(MemoryError):
        update(1)
    assert not helper_threads()


def test_a_reader_never_hangs_on_a_failed_thread(monkeypatch):
    monkeypatch.setattr(digesting.checksums, "new", lambda algorithm: FailingHasher())
    with pytest.raises(MemoryError):
        update(100)
    assert not helper_threads()


def test_blocks_wait_bounded(monkeypatch):
    """A slow digest holds the reader back: one block in work, one waiting, no more."""
    gate, in_work = threading.Semaphore(0), threading.Semaphore(0)

    class GatedHasher:
        def update(self, data):
            in_work.release()
            gate.acquire()

        def digest(self):
            return b""

    monkeypatch.setattr(digesting.checksums, "new", lambda algorithm: GatedHasher())
    taken = []

    def read():
        with StreamDigests(["md5"], THREAD_FROM_BYTES) as digests:
            for number in range(5):
                digests.update(bytes(BLOCK))
                taken.append(number)

    reader = threading.Thread(target=read)
    reader.start()
    in_work.acquire()
    reader.join(timeout=0.2)
    taken_while_held = list(taken)
    gate.release(5)
    reader.join()
    assert taken_while_held == [0, 1]
    assert taken == [0, 1, 2, 3, 4]
    assert not helper_threads()
