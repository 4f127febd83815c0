"""The header ``traceparent``. Source: W3C Trace Context Level 2, section 3.2."""

from __future__ import annotations

import re
from typing import NamedTuple

from opentelemetry.trace import SpanContext

# A version after 00 may go on after another dash. Never with a comma: that joins two headers.
_TRACEPARENT = re.compile(
    r"[ \t]*(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace_id>(?!0{32})[0-9a-f]{32})"
    r"-(?P<parent_id>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-[^,]*)?[ \t]*",
)
_KNOWN_FLAGS = 0x03
"""Sampled and random trace id: others are reserved and not handed on."""


class Traceparent(NamedTuple):
    """``trace_id`` is 32 hex digits, as it was sent; ``parent_id`` a number; ``flags`` the known ones."""

    trace_id: str
    parent_id: int
    flags: int


def parse_traceparent(text: str) -> Traceparent | None:
    """None when it is malformed, which begins a new trace. A header sent twice, so joined, is malformed."""
    match = _TRACEPARENT.fullmatch(text)
    if match is None:
        return None
    version, trace_id, parent_id, flags, rest = match.groups()
    if rest is not None and version == "00":
        return None
    return Traceparent(trace_id, int(parent_id, 16), int(flags, 16) & _KNOWN_FLAGS)


def format_traceparent(context: SpanContext) -> str:
    """The header for what is below that span."""
    trace_id, span_id, _, flags, *_ = context
    return f"00-{trace_id:032x}-{span_id:016x}-{flags & _KNOWN_FLAGS:02x}"
