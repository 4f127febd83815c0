"""VerifiedBody: what comes out is what was sent, in whole blocks, and the last one only when proven."""

from __future__ import annotations

import hashlib
import io
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
from uploads.body.digesting import THREAD_FROM_BYTES
from uploads.body.stream import Body
from uploads.body.verified import VerifiedBody
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
def test_blocks_are_full_but_the_last(proof, size):
    payload = bytes(index % 251 for index in range(size))
    body = send(payload, proof, algorithm="crc32", chunk_bytes=70).read_by(block_bytes=100)
    blocks = [bytes(block) for block in body]
    assert blocks == [payload[at : at + 100] for at in range(0, size, 100)]
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
    assert all(len(block) == block_bytes for block in blocks[:-1])
    assert all(blocks)
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
    assert body.block_bytes == 262144


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


def test_a_whole_read_passes_uncopied():
    pieces = [bytes([number]) * 100 for number in range(3)]
    source = iter([*pieces, b""])

    class Given:
        def read(self, size, /):
            return next(source)

    body = Sent(PLAIN, b"", NO_CLAIMS, 300).read_by(Given(), wire_length=300, block_bytes=100)
    assert [block is piece for block, piece in zip(body, pieces, strict=True)] == [True] * 3


def test_short_reads_are_asked_to_fill_the_block():
    source = Source(b"x" * 250, at_most=60)
    body = Sent(PLAIN, b"x" * 250, NO_CLAIMS, 250).read_by(source, block_bytes=100)
    assert [len(block) for block in body] == [100, 100, 50]
    assert source.asked == [100, 40, 100, 40, 50]


def test_blocks_may_be_kept():
    payload = bytes(range(250))
    blocks = list(send(payload, "signed", chunk_bytes=30).read_by(block_bytes=100))
    assert b"".join(blocks) == payload


def test_receive_wait_is_counted():
    class Slow(Source):
        def read(self, size, /):
            threading.Event().wait(0.02)
            return super().read(size)

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
    assert b"".join(body) == b"abc"
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

    def read(self, size: int, /) -> bytes:
        taken = min(size, self.left, self.most)
        self.left -= taken
        return bytes(taken)


@pytest.mark.parametrize("most", [1 << 30, 50_000], ids=["whole reads", "short reads"])
def test_memory_is_a_few_blocks(most):
    body = Sent(PLAIN, b"", NO_CLAIMS, 64 * MIB).read_by(Endless(64 * MIB, most), wire_length=64 * MIB)
    body.want("md5")
    tracemalloc.start()
    try:
        assert sum(len(block) for block in body) == 64 * MIB
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * body.block_bytes


def test_memory_of_tiny_chunks_is_a_few_blocks():
    body_bytes = b"1\r\na\r\n" * 65536 + b"0\r\n\r\n"
    body = Sent(UNSIGNED, body_bytes, NO_CLAIMS, 65536).read_by(block_bytes=16384)
    tracemalloc.start()
    try:
        assert sum(len(block) for block in body) == 65536
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * body.block_bytes


def helper_threads():
    return [thread for thread in threading.enumerate() if thread.name == "body-digests"]


def test_the_helper_thread_ends_with_the_body():
    payload = bytes(2 * THREAD_FROM_BYTES)
    body = send(payload, "plain").read_by()
    body.want("sha1")
    assert joined(body) == payload
    assert not helper_threads()


def test_the_helper_thread_ends_when_iteration_is_abandoned():
    body = send(bytes(2 * THREAD_FROM_BYTES), "plain").read_by()
    body.want("sha1")
    blocks = iter(body)
    next(blocks)
    assert len(helper_threads()) == 1
    blocks.close()
    assert not helper_threads()


def test_the_helper_thread_ends_when_the_source_fails():
    class Broken(Source):
        def read(self, size, /):
            if self.at:
                raise IncompleteBody
            return super().read(size)

    payload = bytes(2 * THREAD_FROM_BYTES)
    body: VerifiedBody = send(payload, "plain").read_by(Broken(payload))
    body.want("md5")
    with pytest.raises(IncompleteBody):
        list(body)
    assert not helper_threads()
