"""The header ``tracestate``. Source: W3C Trace Context Level 2, section 3.3.

The API's ``TraceState`` goes by Level 1 and drops what that does not allow, one member or all of them. A
gateway has no business to: what the recommendation allows is kept in order and handed on as it came.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Self

from opentelemetry.trace import DEFAULT_TRACE_STATE, TraceState

MAX_MEMBERS = 32
MAX_LENGTH = 4096
"""Characters of the combined header. The recommendation asks for 512 at least; S3 refuses requests with more
than 8 KiB of headers, and no upload is to fail for what a client wrote here."""

_KEY = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}")
_VALUE = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")


class Tracestate(TraceState):
    """A ``TraceState`` by the rules of Level 2. Of a key that is there twice, the first member counts."""

    def __init__(self, entries: Sequence[tuple[str, str]] | None = None) -> None:
        """``entries`` are valid, at most 32."""
        super().__init__()
        for key, value in entries or ():
            self._dict.setdefault(key, value)

    def add(self, key: str, value: str) -> TraceState:
        """A new member in front; the same state where there can be none or the key is there."""
        return self if key in self._dict else self.update(key, value)

    def update(self, key: str, value: str) -> TraceState:
        """The member with that value, new or moved to the front; the same state where there can be none."""
        if not _is_valid(key, value) or (key not in self._dict and len(self._dict) >= MAX_MEMBERS):
            return self
        return Tracestate([(key, value), *((name, kept) for name, kept in self._dict.items() if name != key)])

    def delete(self, key: str) -> TraceState:
        """Without that member."""
        return Tracestate([(name, kept) for name, kept in self._dict.items() if name != key])

    @classmethod
    def from_header(cls, header_list: list[str]) -> Self:
        """Of several header fields, in their order; empty when any of it cannot be kept."""
        return cls(_members(",".join(header_list)))


def parse_tracestate(text: str) -> TraceState:
    """All of it or nothing: a state with a malformed member, or more than 32, is not handed on.

    Empty members count for nothing (RFC 9110, 5.6.1).
    """
    members = _members(text)
    return Tracestate(members) if members else DEFAULT_TRACE_STATE


def _members(text: str) -> list[tuple[str, str]]:
    members: list[tuple[str, str]] = []
    if len(text) > MAX_LENGTH:
        return members
    for written in text.split(","):
        member = written.strip(" \t")
        if not member:
            continue
        key, _, value = member.partition("=")
        if not _is_valid(key, value) or len(members) == MAX_MEMBERS:
            return []
        members.append((key, value))
    return members


def _is_valid(key: str, value: str) -> bool:
    return _KEY.fullmatch(key) is not None and _VALUE.fullmatch(value) is not None
