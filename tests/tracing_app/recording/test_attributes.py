"""Only valid values are kept, copied, and within the limits, whatever is given."""

from __future__ import annotations

import enum
from collections import OrderedDict, deque
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes

from tests.tracing_app.recording.recorders import light
from tracing_app.recording.attributes import clean_attributes, clean_value
from tracing_app.recording.settings import RecordingLimits
from tracing_app.recording.span import LightSpan


class Colour(str, enum.Enum):  # noqa: UP042 - str() of it is not its value, unlike that of a StrEnum
    RED = "red"


class SafeText(str):
    __slots__ = ()


class Kilo(float):
    pass


class Private:
    def __str__(self) -> str:
        raise AssertionError("a foreign value was asked for its text")

    __repr__ = __str__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (SafeText("text"), "text"),
        (Colour.RED, "red"),
        (True, True),
        (HTTPStatus.OK, 200),
        (7, 7),
        (2.5, 2.5),
        (Kilo(1.5), 1.5),
        (b"raw", b"raw"),
        (bytearray(b"raw"), b"raw"),
        pytest.param(memoryview(b"raw"), b"raw", id="memoryview"),
        ([], ()),
        (["a", "b"], ("a", "b")),
        (range(2), (0, 1)),
        ([1, None, "a"], (1, None, "a")),
        ([["a"], []], (("a",), ())),
        ({"a": [1]}, {"a": (1,)}),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": {"b": 1}}), {"a": {"b": 1}}),
        (deque([1]), (1,)),
    ],
    ids=repr,
)
def test_valid_value_becomes_its_builtin(value, expected):
    cleaned = clean_value(value, 100)
    assert cleaned == expected
    assert type(cleaned) is type(expected)


@pytest.mark.parametrize(
    "value", [None, Private(), {1, 2}, object, iter([1]), 1j], ids=lambda v: type(v).__name__
)
@pytest.mark.parametrize("how", ["start", "set_attribute", "set_attributes", "event"])
def test_invalid_value_is_dropped_counted_and_told_without_its_content(value, how, caplog):
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("PUT", attributes={"key": value} if how == "start" else None) as span:
        if how == "set_attribute":
            span.set_attribute("key", value)
        elif how == "set_attributes":
            span.set_attributes({"key": value})
        elif how == "event":
            span.add_event("event", {"key": value})
    (found,) = collected.spans
    holder = found.events[0] if how == "event" else found
    assert (holder.attributes, holder.dropped_attributes) == ({}, 1)
    (record,) = caplog.records
    assert record.getMessage() == f"Attribute 'key' has a value of type {type(value).__name__}: dropped."


@pytest.mark.parametrize("key", ["", None, 5, b"key"], ids=repr)
def test_invalid_key_is_dropped_and_counted(key, caplog):
    provider, collected = light()
    tracer = provider.get_tracer("mizuchi")
    with tracer.start_as_current_span("PUT", attributes={key: 1, "a": 1}) as span:
        span.set_attribute(key, 1)
        span.set_attributes({key: 1})
        span.set_attribute("map", {key: 1, "b": 2})
    (found,) = collected.spans
    assert found.attributes == {"a": 1, "map": {"b": 2}}
    assert found.dropped_attributes == 3
    assert len(caplog.records) == 4


def test_endless_value_has_an_end():
    endless: list[object] = []
    endless.append(endless)
    cleaned = clean_value(endless, 10)
    depth = 0
    while cleaned is not None:
        (cleaned,) = cleaned
        depth += 1
    assert depth == 8


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), values, max_size=8), st.integers(0, 20))
def test_cleaning_agrees_with_the_sdk(attributes, max_length):
    """Without keys and types that the SDK treats otherwise; it does not cut bytes and keeps None."""
    cleaned, dropped = clean_attributes(attributes, 1000, max_length)
    theirs = BoundedAttributes(attributes=attributes, max_value_len=max_length)
    expected = {key: _cut_bytes(value, max_length) for key, value in theirs.items() if value is not None}
    assert cleaned == expected
    assert dropped == sum(value is None for value in attributes.values())


def _cut_bytes(value, max_length):
    if isinstance(value, bytes):
        return value[:max_length]
    if isinstance(value, tuple):
        return tuple(_cut_bytes(item, max_length) for item in value)
    if isinstance(value, dict):
        return {key: _cut_bytes(item, max_length) for key, item in value.items()}
    return value


anything = st.recursive(
    values | st.complex_numbers() | st.sets(st.integers()) | st.builds(object),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(), inner, max_size=3),
    max_leaves=6,
)


def depth_and_types(value, max_length, depth=0):
    yield depth, type(value)
    if isinstance(value, str | bytes):
        assert len(value) <= max_length
    for item in value if isinstance(value, tuple) else value.values() if isinstance(value, dict) else ():
        yield from depth_and_types(item, max_length, depth + 1)


@given(
    st.dictionaries(st.text() | st.integers(), anything, max_size=8),
    st.dictionaries(st.text() | st.integers(), anything, max_size=8),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_whatever_is_given_the_span_is_within_its_limits_and_counts(first, second, max_count, max_length):
    provider, collected = light(
        limits=RecordingLimits(max_span_attributes=max_count, max_attribute_length=max_length)
    )
    span = provider.get_tracer("mizuchi").start_span("PUT", attributes=first)
    span.set_attributes(second)
    for key, value in second.items():
        span.set_attribute(key, value)
    span.end()

    (found,) = collected.spans
    assert len(found.attributes) <= max_count
    assert len(found.attributes) + found.dropped_attributes >= len(first.keys() | second.keys())
    assert found.dropped_attributes <= len(first) + 2 * len(second)
    for key, value in found.attributes.items():
        assert type(key) is str
        assert key
        assert value is not None
        seen = set(depth_and_types(value, max_length))
        assert {kind for _, kind in seen} <= {str, bool, int, float, bytes, tuple, dict, type(None)}
        assert max(depth for depth, _ in seen) <= 9


values = st.one_of(
    st.text(max_size=12),
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.binary(max_size=12),
    st.none(),
    st.lists(st.text(max_size=3), max_size=3),
    st.sampled_from([SafeText("safe text"), Colour.RED, HTTPStatus.OK, Kilo(1.5), object()]),
)
keys = st.one_of(st.text(max_size=3), st.sampled_from([SafeText("safe"), Colour.RED, 7, None]))


@given(st.lists(st.tuples(keys, values), max_size=6))
def test_attributes_one_by_one_are_as_attributes_at_once(pairs: list[tuple[Any, Any]]) -> None:
    provider, _ = light(limits=RecordingLimits(max_attribute_length=6, max_span_attributes=3))
    tracer = provider.get_tracer("tests")
    one_by_one, at_once = (cast(LightSpan, tracer.start_span(name)) for name in ("one by one", "at once"))

    for key, value in pairs:
        one_by_one.set_attribute(key, value)
        at_once.set_attributes({key: value})

    assert one_by_one.attributes == at_once.attributes
    assert one_by_one.dropped_attributes == at_once.dropped_attributes
    kinds = [[type(value) for value in span.attributes.values()] for span in (one_by_one, at_once)]
    assert kinds[0] == kinds[1]
