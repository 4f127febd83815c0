"""The protobuf wire format, as far as OTLP needs it: varints, and fields told by their first bytes.

Source: protobuf.dev, "Encoding". A *tag* is a field's number and wire type, already a varint.
"""

from __future__ import annotations

import struct

_INT64 = 1 << 64
SMALL = tuple(
    bytes((value,)) if value < 128 else bytes((value & 127 | 128, value >> 7)) for value in range(2048)
)
"""The varints of numbers below 2048."""

double = struct.Struct("<d").pack
fixed32 = struct.Struct("<I").pack


def varint(value: int) -> bytes:
    """``value`` (not negative) seven bits at a time, the lowest first."""
    if value < 2048:
        return SMALL[value]
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def signed_varint(value: int) -> bytes:
    """An ``int64``: a negative one is written as its two's complement, always ten bytes."""
    return varint(value if value >= 0 else value + _INT64)


def text(value: str) -> bytes:
    """UTF-8. What UTF-8 has no bytes for (a lone surrogate) becomes ``?``: protobuf refuses anything else."""
    return value.encode("utf-8", "replace")


def delimited(tag: bytes, content: bytes) -> bytes:
    """A field of known length: text, bytes or a message."""
    return tag + varint(len(content)) + content


def text_field(tag: bytes, value: str) -> bytes:
    """A text field; nothing when it is empty, as proto3 has it."""
    return delimited(tag, text(value)) if value else b""


def count_field(tag: bytes, value: int) -> bytes:
    """A ``uint32`` field; nothing when it is 0."""
    return tag + varint(value) if value else b""
