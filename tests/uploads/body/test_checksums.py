"""Digests against published check values, and CRCs of parts against the CRC of the whole."""

from __future__ import annotations

import base64
import hashlib
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.body import checksums
from uploads.s3.errors import InvalidDigest
from uploads.s3.headers import ChecksumAlgorithm

ALL = ("md5", *get_args(ChecksumAlgorithm))

# The check value of a CRC is that of the ASCII digits 1 to 9 (reveng catalogue, NVM Express specification).
CHECK_VALUES = {
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
}


def digest(algorithm, data):
    hasher = checksums.new(algorithm)
    hasher.update(data)
    return hasher.digest()


@pytest.mark.parametrize("algorithm", ALL)
def test_check_value(algorithm):
    assert digest(algorithm, b"123456789").hex() == CHECK_VALUES[algorithm]


@pytest.mark.parametrize("algorithm", ALL)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: memoryview(bytearray(data))])
def test_piecewise_and_any_buffer(algorithm, kind):
    hasher = checksums.new(algorithm)
    for piece in (b"1234", b"", b"56789"):
        hasher.update(kind(piece))
    assert hasher.digest().hex() == CHECK_VALUES[algorithm]


@pytest.mark.parametrize("algorithm", ALL)
def test_digest_length_is_the_table_s(algorithm):
    assert len(checksums.new(algorithm).digest()) == checksums.DIGEST_BYTES[algorithm]


def test_header_name():
    assert checksums.header_name("crc64nvme") == "x-amz-checksum-crc64nvme"


@pytest.mark.parametrize("algorithm", ALL)
def test_encode_and_decode_are_inverse(algorithm):
    raw = bytes.fromhex(CHECK_VALUES[algorithm])
    assert checksums.decode(algorithm, checksums.encode(raw)) == raw


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("y/Q5", id="too short"),
        pytest.param("y/Q5JgAA", id="too long"),
        pytest.param("y/Q5Jg", id="no padding"),
        pytest.param("y/Q5Jh==", id="stray bits under the padding"),
        pytest.param("y/Q5Jg==\n", id="line end"),
        pytest.param(" y/Q5Jg==", id="blank"),
        pytest.param("y_Q5Jg==", id="URL alphabet"),
        pytest.param("cbf43926", id="hex"),
        pytest.param("y/Q5J\u00e9==", id="not ASCII"),
    ],
)
def test_decode_refuses(text):
    with pytest.raises(InvalidDigest):
        checksums.decode("crc32", text)


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme"])
@given(a=st.binary(max_size=300), b=st.binary(max_size=300))
def test_combined_crc_is_that_of_the_whole(algorithm, a, b):
    combined = checksums.combine_crc(algorithm, digest(algorithm, a), digest(algorithm, b), len(b))
    assert combined == digest(algorithm, a + b)


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme"])
def test_combine_over_a_part_larger_than_32_bits_count(algorithm):
    """(A + B) + C equals A + (B + C) when B is longer than 4 GiB can say."""
    a, b, c = (digest(algorithm, text) for text in (b"a", b"b", b"c"))
    length_b, length_c = 5 * 1024**3, 7
    left = checksums.combine_crc(algorithm, checksums.combine_crc(algorithm, a, b, length_b), c, length_c)
    right_tail = checksums.combine_crc(algorithm, b, c, length_c)
    assert left == checksums.combine_crc(algorithm, a, right_tail, length_b + length_c)
    assert left != checksums.combine_crc(algorithm, a, right_tail, length_c)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_hashes_cannot_be_combined(algorithm):
    with pytest.raises(ValueError, match="cannot be combined"):
        checksums.combine_crc(algorithm, b"", b"", 0)


def test_composite():
    parts = [hashlib.sha256(text).digest() for text in (b"one", b"two")]
    expected = base64.b64encode(hashlib.sha256(parts[0] + parts[1]).digest()).decode()
    assert checksums.composite("sha256", parts) == f"{expected}-2"


def test_composite_of_a_crc_is_the_crc_of_the_raw_digests():
    parts = [digest("crc32", text) for text in (b"one", b"two", b"three")]
    expected = checksums.encode(digest("crc32", b"".join(parts)))
    assert checksums.composite("crc32", parts) == f"{expected}-3"
