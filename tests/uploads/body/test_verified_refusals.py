"""VerifiedBody refuses: a false claim is always an S3Error, and never lets the last block out."""

from __future__ import annotations

import hashlib

import pytest
from body_cases import PLAIN, PROOFS, SIGNED, UNSIGNED, Sent, Source, digest, send
from chunk_wire import wire
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.sigv4.proof import Sha256Digest
from uploads.body.digesting import THREAD_FROM_BYTES
from uploads.s3.errors import (
    BadDigest,
    ChunkSignatureDoesNotMatch,
    EntityTooLarge,
    IncompleteBody,
    InvalidDigest,
    InvalidTrailer,
    MalformedChunk,
    S3Error,
    XAmzContentSHA256Mismatch,
)
from uploads.s3.headers import ExpectedDigests

PAYLOAD = bytes(range(250))
BLOCK = 100
CRC32 = "x-amz-checksum-crc32"
WRONG = ExpectedDigests(checksums={"crc32": b"\1\1\1\1"})
proofs = pytest.mark.parametrize("proof", PROOFS)


def read_until_refused(body):
    """What came out of a body before its error, and the error."""
    blocks = []
    with pytest.raises(S3Error) as refusal:
        blocks.extend(bytes(block) for block in body)
    assert not body.verified
    assert not body.digests
    return b"".join(blocks), refusal.value


def assert_last_block_was_held(body, payload=PAYLOAD):
    given, error = read_until_refused(body)
    assert len(given) < len(payload)
    assert payload.startswith(given)
    return error


@pytest.mark.parametrize("size", [1, BLOCK, 2 * BLOCK, 250, 3 * THREAD_FROM_BYTES])
@pytest.mark.parametrize(
    ("proof", "expected", "error"),
    [
        pytest.param(Sha256Digest("00" * 32), ExpectedDigests(), XAmzContentSHA256Mismatch, id="sha256"),
        pytest.param(PLAIN, ExpectedDigests(content_md5=bytes(16)), BadDigest, id="Content-MD5"),
        pytest.param(PLAIN, WRONG, BadDigest, id="checksum"),
    ],
)
def test_a_false_digest(proof, expected, error, size):
    payload = b"x" * size
    body = Sent(proof, payload, expected, size).read_by(block_bytes=max(BLOCK, size // 4))
    assert type(assert_last_block_was_held(body, payload)) is error


def test_a_false_digest_of_an_empty_body():
    body = Sent(PLAIN, b"", WRONG, 0).read_by()
    assert type(read_until_refused(body)[1]) is BadDigest


def test_one_false_digest_among_true_ones():
    expected = ExpectedDigests(
        content_md5=hashlib.md5(PAYLOAD).digest(),
        checksums={"crc32c": digest("crc32c", PAYLOAD), "sha1": bytes(20)},
    )
    body = Sent(Sha256Digest(hashlib.sha256(PAYLOAD).hexdigest()), PAYLOAD, expected, 250).read_by()
    assert type(assert_last_block_was_held(body)) is BadDigest


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param([(CRC32, "AAAAAA==")], BadDigest, id="false value"),
        pytest.param([(CRC32, "AAAA")], InvalidDigest, id="value of another length"),
        pytest.param([(CRC32, "!")], InvalidDigest, id="value not Base64"),
        pytest.param([], InvalidTrailer, id="missing"),
        pytest.param([("x-amz-checksum-sha1", "AAAAAA==")], InvalidTrailer, id="another name"),
    ],
)
@pytest.mark.parametrize("is_signed", [False, True])
def test_a_false_trailer(fields, error, is_signed):
    proof = send(b"", "signed trailer" if is_signed else "unsigned trailer").proof
    sent = Sent(proof, wire([PAYLOAD], fields, is_signed=is_signed), ExpectedDigests(trailer="crc32"), 250)
    assert type(assert_last_block_was_held(sent.read_by(block_bytes=BLOCK))) is error


@pytest.mark.parametrize("proof", ["plain", "sha256", "signed"])
def test_a_trailer_that_this_body_cannot_have(proof):
    sent = send(PAYLOAD, proof)
    with pytest.raises(InvalidTrailer):
        sent.read_by(expected=ExpectedDigests(trailer="crc32"))


@pytest.mark.parametrize("chunk", [0, 1, 2], ids=["first", "second", "third"])
def test_a_false_chunk_signature(chunk):
    sent = send(PAYLOAD, "signed", chunk_bytes=BLOCK)
    at = [index for index in range(len(sent.body)) if sent.body.startswith(b"signature=", index)][chunk] + 10
    body = sent.body[:at] + b"0" * 64 + sent.body[at + 64 :]
    error = assert_last_block_was_held(Sent(SIGNED, body, sent.expected, 250).read_by(block_bytes=BLOCK))
    assert type(error) is ChunkSignatureDoesNotMatch


@proofs
@pytest.mark.parametrize("wire_known", [True, False], ids=["Content-Length", "chunked transfer"])
def test_truncated_at_every_byte(proof, wire_known):
    sent = send(PAYLOAD, proof, algorithm="crc32", chunk_bytes=90)
    wire_length = len(sent.body) if wire_known else None
    for end in range(len(sent.body)):
        body = Sent(sent.proof, sent.body[:end], sent.expected, 250)
        error = assert_last_block_was_held(body.read_by(wire_length=wire_length, block_bytes=BLOCK))
        assert isinstance(error, IncompleteBody)


@pytest.mark.parametrize("proof", ["sha256", "unsigned trailer", "signed trailer", "signed"])
def test_truncated_at_every_byte_with_no_length_at_all(proof):
    sent = send(PAYLOAD, proof, algorithm="crc32", chunk_bytes=90)
    for end in range(len(sent.body)):
        body = Sent(sent.proof, sent.body[:end], sent.expected, None).read_by(
            wire_length=None, block_bytes=BLOCK
        )
        assert_last_block_was_held(body)


@proofs
def test_one_changed_byte_anywhere(proof):
    """Framing that is not signed may differ without harm (``A`` for ``a``), but then the payload is whole."""
    sent = send(PAYLOAD, proof, algorithm="crc32", chunk_bytes=90)
    for at in range(len(sent.body)):
        changed = sent.body[:at] + bytes([sent.body[at] ^ 0x20]) + sent.body[at + 1 :]
        body = Sent(sent.proof, changed, sent.expected, 250).read_by(block_bytes=BLOCK)
        given = bytearray()
        try:
            for block in body:
                given += block
        except S3Error:
            assert len(given) < len(PAYLOAD)
        else:
            assert given == PAYLOAD


@proofs
@pytest.mark.parametrize("wire_known", [True, False], ids=["Content-Length", "chunked transfer"])
def test_more_than_promised(proof, wire_known):
    sent = send(PAYLOAD, proof, algorithm="crc32", chunk_bytes=90)
    wire_length = len(sent.body) if wire_known else None
    body = sent.read_by(payload_length=249, wire_length=wire_length, block_bytes=BLOCK)
    assert type(assert_last_block_was_held(body)) is IncompleteBody


@proofs
def test_fewer_than_promised(proof):
    sent = send(PAYLOAD, proof, algorithm="crc32", chunk_bytes=90)
    given, error = read_until_refused(sent.read_by(payload_length=251, block_bytes=BLOCK))
    assert len(given) < 251
    assert type(error) is IncompleteBody


@proofs
def test_fewer_bytes_on_the_wire_than_promised(proof):
    """The payload is whole and proven; still the connection broke before its Content-Length."""
    sent = send(PAYLOAD, proof, algorithm="crc32", chunk_bytes=90)
    body = sent.read_by(wire_length=len(sent.body) + 1, block_bytes=BLOCK)
    assert type(assert_last_block_was_held(body)) is IncompleteBody


def test_more_than_promised_is_refused_before_all_of_it_came():
    source = Source(bytes(100 * BLOCK))
    body = Sent(PLAIN, b"", ExpectedDigests(), 250).read_by(source, wire_length=None, block_bytes=BLOCK)
    assert type(read_until_refused(body)[1]) is IncompleteBody
    assert source.at <= 4 * BLOCK


@pytest.mark.parametrize("wire_known", [True, False], ids=["Content-Length", "chunked transfer"])
@pytest.mark.parametrize("proof", ["signed", "signed trailer", "unsigned trailer"])
def test_bytes_after_the_end(proof, wire_known):
    sent = send(PAYLOAD, proof, algorithm="crc32")
    longer = Sent(sent.proof, sent.body + b"x", sent.expected, 250)
    body = longer.read_by(wire_length=len(longer.body) if wire_known else None, block_bytes=BLOCK)
    assert type(assert_last_block_was_held(body)) is MalformedChunk


@proofs
@pytest.mark.parametrize("length", [250, None])
def test_too_large_at_the_moment_it_is_passed(proof, length):
    sent = send(PAYLOAD, proof, algorithm="crc32", chunk_bytes=90)
    body = sent.read_by(max_bytes=120, payload_length=length, block_bytes=BLOCK)
    given, error = read_until_refused(body)
    assert type(error) is EntityTooLarge
    assert len(given) <= 120
    assert body.size <= 2 * BLOCK


@proofs
def test_exactly_the_largest_size(proof):
    body = send(PAYLOAD, proof, algorithm="crc32").read_by(max_bytes=250)
    assert b"".join(bytes(block) for block in body) == PAYLOAD


@settings(max_examples=200, deadline=None)
@given(
    body=st.lists(
        st.one_of(
            st.binary(max_size=30), st.sampled_from([b"0\r\n", b"\r\n", b"3\r\nabc\r\n", b"a:b\r\n", b";"])
        )
    ).map(b"".join),
    proof=st.sampled_from([UNSIGNED, SIGNED, PLAIN]),
    length=st.one_of(st.none(), st.integers(0, 50)),
    max_bytes=st.integers(0, 60),
)
def test_any_bytes_end_in_a_result_or_an_s3_error(body, proof, length, max_bytes):
    expected = ExpectedDigests(content_md5=bytes(16))
    read_until_refused(
        Sent(proof, body, expected, length).read_by(wire_length=None, max_bytes=max_bytes, block_bytes=7)
    )
