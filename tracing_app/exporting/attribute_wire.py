"""Attributes as OTLP ``KeyValue`` messages (opentelemetry-proto ``common/v1``), from bytes kept ready.

Most pairs repeat from span to span: bucket, method, status. The encoding of a pair is kept for each key,
up to a number of values; a key that shows more (an object's key, a duration) is from then on encoded anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .protobuf_wire import delimited, double, signed_varint, text, varint

_STRING, _BOOL, _INT, _DOUBLE, _ARRAY, _KVLIST, _BYTES = (
    b"\x0a",
    b"\x10",
    b"\x18",
    b"\x21",
    b"\x2a",
    b"\x32",
    b"\x3a",
)
_KEY, _VALUE = b"\x0a", b"\x12"
_TRUE, _FALSE = b"\x10\x01", b"\x10\x00"
_SHORT = 96  # texts below this many bytes have all that comes before them at hand
_MIN_INT64, _MAX_INT64 = -(1 << 63), (1 << 63) - 1


def encode_value(value: object) -> bytes:
    """The content of an ``AnyValue``.

    An integer beyond 64 bits becomes its decimal text; an unknown type becomes its name.
    """
    if isinstance(value, str):
        content = text(value)
        return _STRING + varint(len(content)) + content
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, int):
        return _encode_int(value)
    if isinstance(value, float):
        return _DOUBLE + double(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return delimited(_BYTES, bytes(value))
    if isinstance(value, Mapping):
        pairs = [delimited(_KEY, encode_pair(str(key), item)) for key, item in value.items()]
        return delimited(_KVLIST, b"".join(pairs))
    if isinstance(value, Sequence):
        return delimited(_ARRAY, b"".join([delimited(b"\x0a", encode_value(item)) for item in value]))
    if value is None:
        return b""
    return delimited(_STRING, text(f"<{type(value).__name__}>"))


def encode_pair(key: str, value: object) -> bytes:
    """The content of a ``KeyValue``."""
    return (delimited(_KEY, text(key)) if key else b"") + delimited(_VALUE, encode_value(value))


def encode_attributes(tag: bytes, attributes: Mapping[str, object]) -> bytes:
    """All pairs, each as a field with that tag; nothing is kept."""
    return b"".join([delimited(tag, encode_pair(key, value)) for key, value in attributes.items()])


def _encode_int(value: int) -> bytes:
    if _MIN_INT64 <= value <= _MAX_INT64:
        return _INT + signed_varint(value)
    return delimited(_STRING, text(str(value)))


class _Key:
    """One key's encoding and those of its values. Text and numbers apart: 1, True and 1.0 are equal keys."""

    __slots__ = ("before_double", "before_text", "encoded", "integers", "is_varied", "strings", "true_false")

    def __init__(self, tag: bytes, key: str) -> None:
        encoded = delimited(_KEY, text(key)) if key else b""
        self.encoded = encoded
        self.strings: dict[str, bytes] = {}
        self.integers: dict[int, bytes] = {}
        self.is_varied = False
        self.before_double = _before(tag, encoded, _DOUBLE, 8, False)
        self.before_text = tuple(_before(tag, encoded, _STRING, length, True) for length in range(_SHORT))
        self.true_false = tuple(
            delimited(tag, encoded + delimited(_VALUE, value)) for value in (_FALSE, _TRUE)
        )


def _before(tag: bytes, key: bytes, kind: bytes, length: int, has_length: bool) -> bytes:
    """All of a pair before the ``length`` bytes of its value."""
    value = kind + varint(length) if has_length else kind
    inner = len(value) + length
    head = key + _VALUE + varint(inner) + value
    return tag + varint(len(head) + length) + head


class PairCache:
    """Encodes attributes as fields of one tag. Bounded in keys, values of a key and their length."""

    def __init__(
        self, tag: bytes, *, max_keys: int = 512, max_values: int = 32, max_length: int = 128
    ) -> None:
        self._tag = tag
        self._keys: dict[str, _Key] = {}
        self._max_keys = max_keys
        self._max_values = max_values
        self._max_length = max_length

    def append_to(self, parts: list[bytes], attributes: Mapping[str, object]) -> None:
        """Append the field of each pair to ``parts``."""
        keys, append = self._keys, parts.append
        for key, value in attributes.items():
            known = keys.get(key) or self._learn(key)
            kind = value.__class__
            if kind is float:
                append(known.before_double + double(value))
            elif kind is str:
                append(known.strings.get(value) or self._encode_text(known, value))  # type: ignore
            elif kind is int:
                append(known.integers.get(value) or self._encode(known, value))  # type: ignore[call-overload]
            elif kind is bool:
                append(known.true_false[value])  # type: ignore[call-overload]
            else:
                append(self._encode(known, value))

    def __len__(self) -> int:
        """How many pairs are kept."""
        return sum(len(key.strings) + len(key.integers) for key in self._keys.values())

    def _learn(self, key: str) -> _Key:
        known = _Key(self._tag, key)
        if len(self._keys) >= self._max_keys:
            self._keys.clear()
        if len(key) <= self._max_length:
            self._keys[key] = known
        return known

    def _encode_text(self, known: _Key, value: str) -> bytes:
        if known.is_varied:
            content = value.encode("utf-8", "replace")
            length = len(content)
            if length < _SHORT:
                return known.before_text[length] + content
        return self._encode(known, value)

    def _encode(self, known: _Key, value: object) -> bytes:
        encoded = encode_value(value)
        length = len(encoded)
        content = known.encoded + _VALUE + varint(length) + encoded
        pair = self._tag + varint(len(content)) + content
        if not known.is_varied and length <= self._max_length:
            self._keep(known, value, pair)
        return pair

    def _keep(self, known: _Key, value: object, pair: bytes) -> None:
        if len(known.strings) + len(known.integers) >= self._max_values:
            known.is_varied = True
            known.strings.clear()
            known.integers.clear()
        elif type(value) is str:
            known.strings[value] = pair
        elif type(value) is int:
            known.integers[value] = pair
