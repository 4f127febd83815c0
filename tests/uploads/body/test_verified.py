"""VerifiedBody: what comes out is what was sent, in whole blocks, and the last one only when proven."""

from __future__ import annotations

import hashlib
import io
import random
import threading
import tracemalloc
from typing import get_args

import pytest
from body_cases import PLAIN, PROOFS, SIGNED, UNSIGNED, Sent, Source, digest, send
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum, CrtCrc64NvmeChecksum
from chunk_wire import wire
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.sigv4.proof import Sha256Digest
from uploads.body.buffers import Buffers
from uploads.body.digesting import THREAD_FROM_BYTES
from uploads.body.stream import Body
from uploads.s3.errors import IncompleteBody, MissingContentLength
from uploads.s3.headers import ChecksumAlgorithm, ExpectedDigests

MIB = 1024 * 1024
ALGORITHMS = get_args(ChecksumAlgorithm)
NO_CLAIMS = ExpectedDigests()
proofs = pytest.mark.parametrize("proof", PROOFS)


def joined(body):
    return b"".join(bytes(block) for block in body)


# --- whole bodies


@proofs
@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250, 300])
def test_what_comes_out_is_what_was_sent(proof, size):
    payload = bytes(index % 251 for index in range(size))
    body = send(payload, proof, algorithm="crc32", chunk_bytes=70).read_by(block_bytes=100)
    assert joined(body) == payload
    assert body.size == size
    assert body.verified


@proofs
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1000, 3 * THREAD_FROM_BYTES + 17])
def test_every_proof_with_every_checksum(proof, algorithm, size):
    payload = (b"0123456789abcde" * (size // 15 + 1))[:size]
    body = send(payload, proof, algorithm=algorithm).read_by()
    body.want("md5")
    assert joined(body) == payload
    assert body.digests["md5"] == hashlib.md5(payload).digest()
    if not (proof == "signed" and algorithm is None):
        assert body.digests[algorithm] == digest(algorithm, payload)


@settings(max_examples=150, deadline=None)
@given(
    payload=st.binary(max_size=2000),
    proof=st.sampled_from(PROOFS),
    algorithm=st.sampled_from([None, *ALGORITHMS]),
    chunk_bytes=st.integers(1, 700),
    block_bytes=st.integers(1, 700),
    reads=st.lists(st.integers(1, 300), min_size=1),
    is_chunked=st.booleans(),
    wanted=st.sets(st.sampled_from(["md5", *ALGORITHMS])),
)
def test_any_chunking_and_any_reads(
    payload, proof, algorithm, chunk_bytes, block_bytes, reads, is_chunked, wanted
):
    sent = send(payload, proof, algorithm=algorithm, chunk_bytes=chunk_bytes)
    turn = iter(reads * (len(sent.body) + 1))
    wire_length = None if is_chunked else len(sent.body)
    body = sent.read_by(
        Source(sent.body, lambda: next(turn)), block_bytes=block_bytes, wire_length=wire_length
    )
    for name in wanted:
        body.want(name)
    blocks = [bytes(block) for block in body]
    assert b"".join(blocks) == payload
    assert all(0 < len(block) <= block_bytes for block in blocks)
    for name in wanted:
        assert body.digests[name] == digest(name, payload)


@pytest.mark.parametrize(
    ("checksum", "algorithm"), [(Crc32Checksum, "crc32"), (CrtCrc64NvmeChecksum, "crc64nvme")]
)
@pytest.mark.parametrize("size", [0, 1, 3 * MIB + 5])
def test_bodies_of_botocore(checksum, algorithm, size):
    payload = b"z" * size
    name = f"x-amz-checksum-{algorithm}"
    body = AwsChunkedWrapper(io.BytesIO(payload), checksum_cls=checksum, checksum_name=name).read()
    sent = Sent(UNSIGNED, body, ExpectedDigests(trailer=algorithm), size)
    assert joined(sent.read_by()) == payload


def test_bodies_of_botocore_without_a_checksum():
    body = AwsChunkedWrapper(io.BytesIO(b"abc")).read()
    assert joined(Sent(UNSIGNED, body, NO_CLAIMS, 3).read_by()) == b"abc"


def test_it_is_a_body():
    body: Body = send(b"abc", "plain").read_by()
    assert body.length == 3


# --- reading


def test_a_plain_body_is_never_read_past_its_length():
    source = Source(b"abcdeNEXT REQUEST")
    body = Sent(PLAIN, b"abcde", NO_CLAIMS, 5).read_by(source, block_bytes=4)
    assert joined(body) == b"abcde"
    assert source.asked == [4, 1]


def test_an_empty_plain_body_is_not_read():
    source = Source(b"NEXT REQUEST")
    assert joined(Sent(PLAIN, b"", NO_CLAIMS, 0).read_by(source)) == b""
    assert source.asked == []


def test_an_aws_chunked_body_is_never_read_past_its_wire_length():
    sent = send(b"abc", "unsigned trailer", algorithm="crc32")
    source = Source(sent.body + b"NEXT REQUEST")
    assert joined(sent.read_by(source)) == b"abc"
    assert source.at == len(sent.body)


def test_short_reads_are_asked_to_fill_the_block():
    source = Source(b"x" * 250, at_most=60)
    body = Sent(PLAIN, b"x" * 250, NO_CLAIMS, 250).read_by(source, block_bytes=100)
    assert [len(block) for block in body] == [100, 100, 50]
    assert source.asked == [100, 40, 100, 40, 50]


def test_receive_wait_is_counted():
    class Slow(Source):
        def read_into(self, buffer, /):
            threading.Event().wait(0.02)
            return super().read_into(buffer)

    body = send(b"abc", "plain").read_by(Slow(b"abc"))
    list(body)
    assert 20_000_000 <= body.timeline.receive_wait_ns < 2_000_000_000


def test_iterate_once():
    body = send(b"abc", "plain").read_by()
    iter(body)
    with pytest.raises(RuntimeError):
        iter(body)


def test_want_before_iterating():
    body = send(b"abc", "plain").read_by()
    iter(body)
    with pytest.raises(RuntimeError):
        body.want("md5")


def test_no_digests_before_the_end():
    body = send(b"abcdef", "plain").read_by(block_bytes=2)
    body.want("md5")
    blocks = iter(body)
    next(blocks)
    assert not body.digests
    assert not body.verified


# --- lengths nobody promised


def test_a_bare_chunked_transfer_is_refused():
    with pytest.raises(MissingContentLength):
        Sent(PLAIN, b"abc", NO_CLAIMS, None).read_by(wire_length=None)


def test_a_bare_chunked_transfer_is_read_from_a_source_that_tells_when_it_is_cut():
    body = Sent(PLAIN, b"abc", NO_CLAIMS, None).read_by(wire_length=None, is_end_certain=True)
    assert joined(body) == b"abc"
    assert body.length is None


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        pytest.param(Sha256Digest(hashlib.sha256(b"abc").hexdigest()), NO_CLAIMS, id="sha256"),
        pytest.param(PLAIN, ExpectedDigests(content_md5=hashlib.md5(b"abc").digest()), id="md5"),
        pytest.param(PLAIN, ExpectedDigests(checksums={"crc32": digest("crc32", b"abc")}), id="checksum"),
    ],
)
def test_a_digest_is_enough(proof, expected):
    body = Sent(proof, b"abc", expected, None).read_by(wire_length=None)
    assert body.length is None
    assert joined(body) == b"abc"


@pytest.mark.parametrize(("proof", "is_signed"), [(UNSIGNED, False), (SIGNED, True)])
def test_the_last_chunk_is_enough(proof, is_signed):
    sent = Sent(proof, wire([b"abc"], is_signed=is_signed), NO_CLAIMS, None)
    assert joined(sent.read_by(wire_length=None)) == b"abc"


def test_content_length_is_the_length_of_a_plain_body():
    body = Sent(PLAIN, b"abc", NO_CLAIMS, None).read_by()
    assert body.length == 3
    assert joined(body) == b"abc"


@pytest.mark.parametrize("received", [b"ab", b"abcd"])
def test_a_chunked_transfer_with_a_promised_length(received):
    body = Sent(PLAIN, received, NO_CLAIMS, 3).read_by(wire_length=None)
    with pytest.raises(IncompleteBody):
        list(body)


# --- resources


class Endless(Source):
    """64 MiB without holding them."""

    def __init__(self, size: int, most: int) -> None:
        self.left = size
        self.most = most

    def read_into(self, buffer: memoryview, /) -> int:
        taken = min(len(buffer), self.left, self.most)
        self.left -= taken
        return taken


class LentBuffers(Buffers):
    """Notes how much is out, at most and at present."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.out = self.peak = 0

    def take(self, size):
        buffer = super().take(size)
        self.out += len(buffer)
        self.peak = max(self.peak, self.out)
        return buffer

    def give_back(self, buffer):
        self.out -= len(buffer)
        super().give_back(buffer)


@pytest.mark.parametrize("most", [1 << 30, 50_000], ids=["whole reads", "short reads"])
@pytest.mark.parametrize("wanted", [[], ["md5", "sha256"]], ids=["no digest", "digests"])
def test_memory_is_two_buffers_at_most(most, wanted):
    buffers = LentBuffers()
    body = Sent(PLAIN, b"", NO_CLAIMS, 64 * MIB).read_by(
        Endless(64 * MIB, most), wire_length=64 * MIB, buffers=buffers
    )
    for algorithm in wanted:
        body.want(algorithm)
    tracemalloc.start()
    try:
        assert sum(len(block) for block in body) == 64 * MIB
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert buffers.peak <= (2 if wanted else 1) * buffers.large_bytes
    assert buffers.out == 0
    assert peak < 100_000


def test_memory_of_tiny_chunks_is_two_buffers_at_most():
    body_bytes = b"1\r\na\r\n" * 65536 + b"0\r\n\r\n"
    buffers = LentBuffers(16384, 16384)
    body = Sent(UNSIGNED, body_bytes, NO_CLAIMS, 65536).read_by(buffers=buffers)
    tracemalloc.start()
    try:
        blocks = [len(block) for block in body]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(blocks) == 65536
    assert len(blocks) < 40
    assert peak < 100_000


def test_a_small_body_has_a_small_buffer():
    buffers = LentBuffers()
    assert joined(send(b"x" * 1000, "plain").read_by(buffers=buffers)) == b"x" * 1000
    assert buffers.peak == 1000


@pytest.mark.parametrize("fails", ["source", "reader"])
def test_buffers_come_back_from_a_body_that_is_given_up(fails):
    class Broken(Source):
        def read_into(self, buffer, /):
            if fails == "source" and self.at > 2 * MIB:
                raise IncompleteBody
            return super().read_into(buffer)

    buffers = LentBuffers()
    body = send(bytes(4 * MIB), "plain").read_by(Broken(bytes(4 * MIB)), buffers=buffers)
    body.want("md5")
    blocks = iter(body)
    next(blocks)
    assert buffers.out > 0
    if fails == "source":
        with pytest.raises(IncompleteBody):
            list(blocks)
    else:
        body.close()
    assert buffers.out == 0


def test_what_came_before_an_error_is_handed_on():
    """So that its bytes are counted, and a storage has what there is."""

    class Broken(Source):
        def read_into(self, buffer, /):
            if self.at:
                raise IncompleteBody
            return super().read_into(buffer)

    body = send(bytes(1000), "plain").read_by(Broken(bytes(1000), at_most=600))
    blocks = iter(body)
    assert len(next(blocks)) == 600
    with pytest.raises(IncompleteBody):
        next(blocks)
    assert body.size == 600


# --- blocks are used again


@proofs
@pytest.mark.parametrize("is_promised", [True, False], ids=["length", "no length"])
@pytest.mark.parametrize("chunk_bytes", [700, 20_000, 300_000])
def test_a_block_is_whole_until_the_next_is_asked_for_and_hashed_before_it_changes(
    proof, is_promised, chunk_bytes
):
    """The reader scribbles over what it is done with, a source over what it is given: nothing of it shows."""

    class Scribbling(Source):
        def read_into(self, buffer, /):
            buffer[:] = b"\xee" * len(buffer)
            return super().read_into(buffer)

    payload = random.Random(1).randbytes(2 * MIB + 12345)
    sent = send(payload, proof, algorithm="crc32c", chunk_bytes=chunk_bytes)
    source = Scribbling(sent.body, iter([100_000, 5, 1 << 20] * 10_000).__next__)
    length = len(payload) if is_promised else None
    wire_length = len(sent.body) if is_promised else None
    body = sent.read_by(
        source,
        payload_length=length,
        wire_length=wire_length,
        is_end_certain=True,
        buffers=Buffers(4096, 65536),
    )
    body.want("md5")
    received = bytearray()
    for block in body:
        received += block
    assert received == payload
    assert body.digests["md5"] == hashlib.md5(payload).digest()


def test_the_memory_of_a_block_is_used_again():
    body = send(bytes(4 * MIB), "plain").read_by(buffers=Buffers(MIB, MIB))
    assert len({id(block.obj) for block in body}) == 1


@pytest.mark.parametrize(
    ("proof", "chunk_bytes", "copied_by"),
    [
        ("plain", 0, ""),
        ("unsigned trailer", MIB, ""),
        ("signed", 64 * 1024, "aws-chunked"),
        ("unsigned trailer", 1000, "aws-chunked"),
    ],
)
def test_who_copied_the_payload(proof, chunk_bytes, copied_by):
    body = send(bytes(MIB), proof, chunk_bytes=chunk_bytes or MIB).read_by()
    for _ in body:
        pass
    assert body.copied_by == copied_by
