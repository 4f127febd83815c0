"""Digests beside the transfer: the same with and without a helper thread, whose end is waited for."""

from __future__ import annotations

import hashlib
import threading
import zlib

import pytest

from uploads.body import digesting
from uploads.body.digesting import THREAD_FROM_BYTES, StreamDigests
from uploads.body.lanes import HelperThreads

BLOCK = 65536


def blocks(size):
    data = bytes(range(256)) * (size // 256)
    return [data[at : at + BLOCK] for at in range(0, size, BLOCK)]


@pytest.mark.parametrize("promised", [None, "all"])
@pytest.mark.parametrize("size", [0, BLOCK, THREAD_FROM_BYTES, 3 * THREAD_FROM_BYTES])
def test_digests(size, promised):
    body = blocks(size)
    digests = StreamDigests(["md5", "sha256", "crc32"], size if promised else None)
    for block in body:
        digests.update(block)
    computed = digests.finish()
    whole = b"".join(body)
    assert computed == {
        "md5": hashlib.md5(whole).digest(),
        "sha256": hashlib.sha256(whole).digest(),
        "crc32": zlib.crc32(whole).to_bytes(4, "big"),
    }


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
def test_when_a_thread_helps(algorithms, length, count, threads):
    helpers = CountedThreads()
    digests = StreamDigests(algorithms, length, helpers)
    for _ in range(count):
        digests.update(bytes(BLOCK))
    digests.finish()
    assert bool(helpers.lanes) == bool(threads)
    assert not digests.is_behind


class CountedThreads(HelperThreads):
    """One thread; ``lanes`` are those that it was asked to take up."""

    def __init__(self):
        super().__init__(1)
        self.lanes = []

    def take_up(self, lane):
        self.lanes.append(lane)
        super().take_up(lane)


def test_threads_are_few_and_stay():
    helpers = HelperThreads(2)
    before = set(threading.enumerate())
    for _ in range(5):
        digests = [StreamDigests(["md5"], THREAD_FROM_BYTES, helpers) for _ in range(5)]
        for block in blocks(THREAD_FROM_BYTES):
            for each in digests:
                each.update(block)
        expected = hashlib.md5(b"".join(blocks(THREAD_FROM_BYTES))).digest()
        assert [each.finish()["md5"] for each in digests] == [expected] * 5
    assert len(set(threading.enumerate()) - before) == 2


class FailingHasher:
    def update(self, data):
        raise MemoryError

    def digest(self):
        raise AssertionError("a digest that failed was used")


def test_an_error_in_the_thread_is_raised_to_the_reader_who_never_hangs(monkeypatch):
    monkeypatch.setattr(digesting.checksums, "new", lambda algorithm: FailingHasher())
    digests = StreamDigests(["md5"], THREAD_FROM_BYTES)
    for _ in range(100):
        digests.update(bytes(BLOCK))
    with pytest.raises(MemoryError):
        digests.catch_up(1)
    with pytest.raises(MemoryError):
        digests.finish()
    digests.abandon()


class GatedHasher:
    def __init__(self):
        self.gate, self.seen = threading.Semaphore(0), []

    def update(self, data):
        self.gate.acquire()
        self.seen.append(bytes(data))

    def digest(self):
        return b""


@pytest.mark.parametrize("how", ["catch_up", "abandon"])
def test_a_block_may_change_once_it_is_hashed(monkeypatch, how):
    hasher = GatedHasher()
    monkeypatch.setattr(digesting.checksums, "new", lambda algorithm: hasher)
    digests = StreamDigests(["md5"], THREAD_FROM_BYTES)
    first, second = bytearray(b"first"), bytearray(b"second")
    for block in (first, second):
        digests.update(block)
    assert digests.is_behind
    hasher.gate.release(2)
    if how == "catch_up":
        digests.catch_up(1)
        first[:] = b"XXXXX"
        digests.catch_up()
    else:
        digests.abandon()
    second[:] = b"XXXXXX"
    assert hasher.seen == [b"first", b"second"]
    assert not digests.is_behind


def test_to_catch_up_is_to_wait(monkeypatch):
    hasher = GatedHasher()
    monkeypatch.setattr(digesting.checksums, "new", lambda algorithm: hasher)
    digests = StreamDigests(["md5"], THREAD_FROM_BYTES)
    digests.update(b"block")
    digests.catch_up(1)  # one may be behind
    waiting = threading.Thread(target=digests.catch_up)
    waiting.start()
    waiting.join(0.1)
    was_waiting = waiting.is_alive()
    hasher.gate.release()
    waiting.join()
    assert was_waiting
