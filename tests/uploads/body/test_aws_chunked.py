"""The aws-chunked decoder: published vectors, what real clients send, and every way it can be wrong."""

from __future__ import annotations

import re

import pytest
from chunk_wire import WireWriter, chain, wire
from hypothesis import given
from hypothesis import strategies as st

from authz.sigv4.proof import SignedChunks, UnsignedTrailer
from uploads.body.aws_chunked import AwsChunkedDecoder, ChunkLimits, Data, End, Trailer
from uploads.s3.errors import (
    ChunkSignatureDoesNotMatch,
    IncompleteBody,
    InvalidChunkSizeError,
    InvalidTrailer,
    MalformedChunk,
    S3Error,
)

CRC32 = "x-amz-checksum-crc32"
TRAILER = [(CRC32, "y/Q5Jg==")]
SIGNED = SignedChunks(chain(), has_trailer=False)
SIGNED_TRAILER = SignedChunks(chain(), has_trailer=True)
UNSIGNED = UnsignedTrailer()


def decode(proof, pieces, *, names=(), limits=None):
    """Payload, trailers and whether the end came, of a body fed in these pieces."""
    decoder = AwsChunkedDecoder(proof, trailer_names=names, limits=limits)
    payload, trailers, ends = b"", [], 0
    for piece in [*pieces, b""]:
        for event in decoder.feed(piece):
            match event:
                case Data(start, end):
                    assert start < end
                    payload += piece[start:end]
                case Trailer(name, value):
                    trailers.append((name, value))
                case End():
                    ends += 1
    assert ends == 1
    return payload, trailers


def outcome(proof, pieces, **options):
    try:
        return decode(proof, pieces, **options)
    except S3Error as error:
        return type(error)


# --- the published examples: 66,560 times "a", in chunks of 65,536 and 1,024 bytes

PLAIN_EXAMPLE = (
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ],
)
TRAILER_EXAMPLE = (
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
    ],
)


def example(signatures, trailer=b""):
    first, second, last = signatures[:3]
    return b"".join(
        [
            f"10000;chunk-signature={first}\r\n".encode() + b"a" * 65536 + b"\r\n",
            f"400;chunk-signature={second}\r\n".encode() + b"a" * 1024 + b"\r\n",
            f"0;chunk-signature={last}\r\n".encode(),
            trailer,
            b"\r\n",
        ]
    )


def test_published_example_of_signed_chunks():
    seed, signatures = PLAIN_EXAMPLE
    body = example(signatures)
    assert len(body) == 66824  # the Content-Length of the example
    assert decode(SignedChunks(chain(seed), has_trailer=False), [body]) == (b"a" * 66560, [])


def test_published_example_of_a_signed_trailer():
    seed, signatures = TRAILER_EXAMPLE
    trailer = f"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{signatures[3]}\r\n".encode()
    decoded = decode(
        SignedChunks(chain(seed), has_trailer=True),
        [example(signatures, trailer)],
        names=["x-amz-checksum-crc32c"],
    )
    assert decoded == (b"a" * 66560, [("x-amz-checksum-crc32c", "sOO8/Q==")])


# --- what clients send

MINIO_GO = WireWriter()
MINIO_GO_SIGNED = (
    MINIO_GO.chunk(b"123456789") + MINIO_GO.chunk(b"") + MINIO_GO.trailer(TRAILER, b"\n\r\n") + b"\r\n"
)

MESSAGES = {
    "unsigned trailer": (UNSIGNED, wire([b"1234", b"56789"], TRAILER), [CRC32]),
    "unsigned, upper-case size": (UNSIGNED, b"A\r\n0123456789\r\n0\r\n\r\n", []),
    "unsigned, lower-case size": (UNSIGNED, b"a\r\n0123456789\r\n0\r\n\r\n", []),
    "unsigned, padded sizes": (UNSIGNED, b"0004\r\n1234\r\n0000\r\n\r\n", []),
    "unsigned, extensions": (UNSIGNED, b"4;\r\n1234\r\n2;chunk-signature=f00;x\r\nab\r\n0;z=1\r\n\r\n", []),
    "unsigned, empty": (UNSIGNED, wire([], [(CRC32, "AAAAAA==")]), [CRC32]),
    "unsigned, trailer as minio-go writes it": (
        UNSIGNED,
        b"9\r\n123456789\r\n0\r\n" + b"x-amz-checksum-crc32:y/Q5Jg==\n" + b"\r\n\r\n",
        [CRC32],
    ),
    "unsigned, trailer with blanks and capitals": (
        UNSIGNED,
        b"1\r\na\r\n0\r\nX-Amz-Checksum-CRC32 : 6Le+Qw== \r\n\r\n",
        [CRC32],
    ),
    "unsigned, payload that looks like framing": (UNSIGNED, wire([b"0\r\n\r\n", b"\r\n"], TRAILER), [CRC32]),
    "signed": (SIGNED, wire([b"1234", b"56789"], is_signed=True), []),
    "signed, empty": (SIGNED, wire([], is_signed=True), []),
    "signed trailer": (SIGNED_TRAILER, wire([b"1234", b"56789"], TRAILER, is_signed=True), [CRC32]),
    "signed trailer as minio-go writes it": (SIGNED_TRAILER, MINIO_GO_SIGNED, [CRC32]),
}
messages = pytest.mark.parametrize(("proof", "body", "names"), MESSAGES.values(), ids=MESSAGES)


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("unsigned trailer", b"123456789"),
        ("unsigned, upper-case size", b"0123456789"),
        ("unsigned, lower-case size", b"0123456789"),
        ("unsigned, extensions", b"1234ab"),
        ("unsigned, empty", b""),
        ("unsigned, trailer as minio-go writes it", b"123456789"),
        ("unsigned, payload that looks like framing", b"0\r\n\r\n\r\n"),
        ("signed", b"123456789"),
        ("signed trailer as minio-go writes it", b"123456789"),
    ],
)
def test_payload_and_trailers(message, payload):
    proof, body, names = MESSAGES[message]
    decoded, trailers = decode(proof, [body], names=names)
    assert decoded == payload
    assert [name for name, _ in trailers] == names


@messages
def test_split_at_every_byte(proof, body, names):
    whole = decode(proof, [body], names=names)
    for at in range(1, len(body)):
        assert decode(proof, [body[:at], body[at:]], names=names) == whole
    assert decode(proof, [body[at : at + 1] for at in range(len(body))], names=names) == whole


@messages
def test_truncated_at_every_byte(proof, body, names):
    for end in range(len(body)):
        with pytest.raises(S3Error):
            decode(proof, [body[:end]] if end else [], names=names)


@messages
@pytest.mark.parametrize("extra", [b"\r\n", b"x", b"0\r\n\r\n"])
def test_bytes_after_the_end(proof, body, names, extra):
    with pytest.raises(MalformedChunk):
        decode(proof, [body + extra], names=names)
    with pytest.raises(MalformedChunk):
        decode(proof, [body, extra], names=names)


def test_a_trailer_value_is_stripped():
    _, body, names = MESSAGES["unsigned, trailer with blanks and capitals"]
    assert decode(UNSIGNED, [body], names=names) == (b"a", [(CRC32, "6Le+Qw==")])


# --- corruption

SIGNED_BODY = wire([b"1234", b"56789"], TRAILER, is_signed=True)


@pytest.mark.parametrize("at", range(len(SIGNED_BODY)))
def test_one_changed_byte_anywhere_in_a_signed_body(at):
    changed = bytes([SIGNED_BODY[at] ^ 0x01])
    body = SIGNED_BODY[:at] + changed + SIGNED_BODY[at + 1 :]
    with pytest.raises(S3Error):
        decode(SIGNED_TRAILER, [body], names=[CRC32], limits=ChunkLimits(payload_length=9))


@pytest.mark.parametrize("which", range(4), ids=["first chunk", "second chunk", "last chunk", "trailer"])
def test_a_wrong_signature(which):
    found = list(re.finditer(rb"signature[=:]([0-9a-f]{64})", SIGNED_BODY))[which]
    body = SIGNED_BODY[: found.start(1)] + b"0" * 64 + SIGNED_BODY[found.end(1) :]
    with pytest.raises(ChunkSignatureDoesNotMatch):
        decode(SIGNED_TRAILER, [body], names=[CRC32])


def test_the_end_is_not_told_before_the_last_chunk_is_proven():
    body = wire([b"1234"], is_signed=True)
    bad = body[:-68] + b"0" * 64 + body[-4:]
    events = AwsChunkedDecoder(SIGNED).feed(bad)
    data = next(events)
    assert isinstance(data, Data)
    assert bad[data.start : data.end] == b"1234"
    with pytest.raises(ChunkSignatureDoesNotMatch):
        next(events)


def test_chunks_in_another_order():
    writer = WireWriter()
    first, second, last = (writer.chunk(data) for data in (b"1234", b"5678", b""))
    with pytest.raises(ChunkSignatureDoesNotMatch):
        decode(SIGNED, [second + first + last + b"\r\n"])


def test_chunks_signed_with_another_key():
    proof = SignedChunks(chain("00" * 32), has_trailer=False)
    with pytest.raises(ChunkSignatureDoesNotMatch):
        decode(proof, [wire([b"1234"], is_signed=True)])


REFUSED = {
    "size not hex": (UNSIGNED, b"xyz\r\n", [], InvalidChunkSizeError),
    "size empty": (UNSIGNED, b"\r\n", [], InvalidChunkSizeError),
    "size negative": (UNSIGNED, b"-4\r\n1234\r\n", [], InvalidChunkSizeError),
    "size with prefix": (UNSIGNED, b"0x4\r\n1234\r\n", [], InvalidChunkSizeError),
    "size with underscore": (UNSIGNED, b"1_0\r\n", [], InvalidChunkSizeError),
    "size of 17 digits": (UNSIGNED, b"00000000000000004\r\n1234\r\n", [], InvalidChunkSizeError),
    "header ended by LF": (UNSIGNED, b"4\n1234\r\n0\r\n\r\n", [], MalformedChunk),
    "header of 4 KiB without end": (UNSIGNED, b"4;" + b"a" * 4094, [], MalformedChunk),
    "header longer than 4 KiB": (UNSIGNED, b"4;" + b"a" * 4094 + b"\r\n1234\r\n", [], MalformedChunk),
    "no CRLF after the data": (UNSIGNED, b"4\r\n12345\r\n0\r\n\r\n", [], MalformedChunk),
    "LF after the data": (UNSIGNED, b"4\r\n1234\n0\r\n\r\n", [], MalformedChunk),
    "signature missing": (SIGNED, b"4\r\n1234\r\n", [], MalformedChunk),
    "signature not ASCII": (SIGNED, b"0;chunk-signature=\xff\r\n", [], ChunkSignatureDoesNotMatch),
    "trailer missing": (UNSIGNED, wire([b"1"], []), [CRC32], InvalidTrailer),
    "trailer not announced": (UNSIGNED, wire([b"1"], TRAILER), [], InvalidTrailer),
    "another trailer": (UNSIGNED, wire([b"1"], [("x-amz-checksum-sha1", "=")]), [CRC32], InvalidTrailer),
    "trailer twice": (UNSIGNED, wire([b"1"], TRAILER * 2), [CRC32], InvalidTrailer),
    "trailer without colon": (UNSIGNED, b"0\r\nx-amz-checksum-crc32\r\n\r\n", [CRC32], InvalidTrailer),
    "trailer not ASCII": (UNSIGNED, b"0\r\nx-amz-checksum-crc32:\xe9\r\n\r\n", [CRC32], InvalidTrailer),
    "trailer too long": (UNSIGNED, b"0\r\n" + b"x" * 4096, [CRC32], MalformedChunk),
    "trailer signature in an unsigned body": (
        UNSIGNED,
        b"0\r\nx-amz-trailer-signature:00\r\n\r\n",
        [],
        InvalidTrailer,
    ),
    "trailer in a body without": (SIGNED, wire([b"1"], TRAILER, is_signed=True), [], InvalidTrailer),
    "trailer signature missing": (
        SIGNED_TRAILER,
        wire([b"1"], is_signed=True)[:-2] + b"x-amz-checksum-crc32:y/Q5Jg==\r\n\r\n",
        [CRC32],
        InvalidTrailer,
    ),
    "line after the trailer signature": (
        SIGNED_TRAILER,
        wire([b"1"], TRAILER, is_signed=True)[:-2] + b"x-amz-meta-a:b\r\n\r\n",
        [CRC32, "x-amz-meta-a"],
        InvalidTrailer,
    ),
}


@pytest.mark.parametrize(("proof", "body", "names", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(proof, body, names, error):
    assert outcome(proof, [body], names=names) is error
    assert outcome(proof, [body[at : at + 1] for at in range(len(body))], names=names) is error


def test_largest_header_is_taken():
    body = b"4;" + b"a" * 4092 + b"\r\n1234\r\n0\r\n\r\n"
    assert decode(UNSIGNED, [body]) == (b"1234", [])


def test_a_chunk_longer_than_what_was_promised_is_refused_at_its_header():
    decoder = AwsChunkedDecoder(UNSIGNED, limits=ChunkLimits(payload_length=7))
    list(decoder.feed(b"4\r\n1234\r\n"))
    with pytest.raises(IncompleteBody):
        list(decoder.feed(b"4\r\n"))


def test_the_largest_size_needs_no_memory():
    decoder = AwsChunkedDecoder(UNSIGNED)
    assert list(decoder.feed(b"ffffffffffffffff\r\nabc")) == [Data(18, 21)]


def test_data_are_told_by_their_place():
    fed = b"4\r\n1234\r\n"
    (event,) = AwsChunkedDecoder(UNSIGNED).feed(fed)
    assert event == Data(3, 7)


def test_events_that_were_not_taken_are_not_lost_in_silence():
    decoder = AwsChunkedDecoder(UNSIGNED)
    decoder.feed(b"4\r\n1234\r\n")
    with pytest.raises(RuntimeError, match="not all taken"):
        decoder.feed(b"0\r\n\r\n")


def test_one_byte_feeds_cost_the_same_each():
    """A line that arrives byte by byte is not copied again and again: its buffer grows in place."""
    decoder = AwsChunkedDecoder(UNSIGNED)
    buffer = decoder._line
    for byte in b"4;" + b"a" * 4000:
        assert not list(decoder.feed(bytes([byte])))
    assert decoder._line is buffer
    assert len(buffer) == 4002


FUZZ = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"\r\n",
                b"\n",
                b"0",
                b"4",
                b"1234",
                b";chunk-signature=",
                b"0\r\n",
                b"x-amz-checksum-crc32:",
                b"aaaa",
            ]
        ),
    ),
    max_size=20,
)


@given(pieces=FUZZ, proof=st.sampled_from([UNSIGNED, SIGNED, SIGNED_TRAILER]))
def test_any_bytes_end_in_a_result_or_an_s3_error(pieces, proof):
    body = b"".join(pieces)
    whole = outcome(proof, [body] if body else [], names=[CRC32])
    assert outcome(proof, [piece for piece in pieces if piece], names=[CRC32]) == whole
