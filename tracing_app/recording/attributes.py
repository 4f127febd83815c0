"""Attributes made safe to keep: valid types only, copied, and bounded.

Source: OpenTelemetry specification, "Attribute", "AnyValue" and "Attribute Limits". Where the limit of
a collection is reached the new attribute is discarded (the specification's MUST; the SDK drops the
oldest). A value of a foreign type is dropped rather than turned into text: its ``__str__`` may raise,
query a database or tell who somebody is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import islice

from opentelemetry.util.types import AnyValue

logger = logging.getLogger(__name__)

NUMBERS = frozenset((bool, int, float))
_MAX_DEPTH = 8


def clean_attributes(
    attributes: Mapping[str, AnyValue] | None, max_count: int, max_length: int
) -> tuple[dict[str, AnyValue], int]:
    """The attributes that may be kept, in the order given, and how many were dropped."""
    if not attributes:
        return {}, 0
    cleaned: dict[str, AnyValue] = {}
    for key, value in attributes.items():
        # The plain cases are asked for by exact type: this runs for every attribute of every span.
        kind = type(value)
        if ((kind is str and len(value) <= max_length) or kind in NUMBERS) and type(key) is str and key:  # type: ignore[arg-type]
            cleaned[key] = value
        else:
            _clean_into(cleaned, key, value, max_length)
    if len(cleaned) > max_count:
        cleaned = dict(islice(cleaned.items(), max_count))
    return cleaned, len(attributes) - len(cleaned)


def _clean_into(attributes: dict[str, AnyValue], key: str, value: AnyValue, max_length: int) -> None:
    kept = clean_value(value, max_length)
    if kept is None:
        warn_dropped(key, value)
    elif is_valid_key(key):
        attributes[str.__str__(key)] = kept


def is_valid_key(key: object) -> bool:
    """Whether this is a text with something in it; a warning is logged otherwise."""
    if key and isinstance(key, str):
        return True
    logger.warning("The name of an attribute is a non-empty text, not %s: dropped.", type(key).__name__)
    return False


def warn_dropped(key: object, value: object) -> None:
    """Say that an attribute's value has a type that cannot be kept. The value itself is not told."""
    logger.warning("Attribute %r has a value of type %s: dropped.", key, type(value).__name__)


def clean_value(value: AnyValue, max_length: int, depth: int = 0) -> AnyValue:
    """``value`` in builtin types, sequences copied to tuples, mappings to dicts, texts and bytes cut.

    ``None`` when it is of no valid type, or nested deeper than eight levels. Subclasses (enumerations,
    template-safe texts) become the builtin they are, so that an encoder may dispatch on exact types.
    """
    kind = type(value)
    if kind in NUMBERS:
        return value
    if isinstance(value, str):
        return (value if kind is str else str.__str__(value))[:max_length]
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)[:max_length]
    return _clean_collection(value, max_length, depth) if depth < _MAX_DEPTH else None


def _clean_collection(value: AnyValue, max_length: int, depth: int) -> AnyValue:
    if isinstance(value, Sequence):
        return tuple([clean_value(item, max_length, depth + 1) for item in value])
    if isinstance(value, Mapping):
        return {
            str.__str__(key): clean_value(item, max_length, depth + 1)
            for key, item in value.items()
            if is_valid_key(key)
        }
    return None
