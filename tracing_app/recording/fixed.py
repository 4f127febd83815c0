"""Attributes that many spans have in common: checked once, encoded once, never copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from .attributes import clean_attributes

_MAX_COUNT, _MAX_LENGTH = 128, 4096


Plain = str | bool | int | float


class FixedAttributes(dict[str, Plain]):
    """Give them to a span where attributes are given. Make them once and keep them: what does not repeat is
    better given as plain attributes.

    Nobody writes to them. ``encoded`` is their wire form and ``weight`` what they take in a queue, kept here
    by those who ask for it first.
    """

    __slots__ = ("encoded", "weight")

    def __init__(self, attributes: Mapping[str, Plain]) -> None:
        cleaned, _ = clean_attributes(attributes, _MAX_COUNT, _MAX_LENGTH)
        super().__init__(cast(dict[str, Plain], cleaned))
        self.encoded: bytes | None = None
        self.weight: int | None = None

    def plus(self, others: FixedAttributes) -> FixedAttributes:
        """Both together, always the same object; of a key that both have, the value of ``others``."""
        known = _TOGETHER.get((id(self), id(others)))
        return known[2] if known is not None else _put_together(self, others)


NOTHING = FixedAttributes({})

# The two are kept with what they make: while they live no other object has their ids.
_TOGETHER: dict[tuple[int, int], tuple[FixedAttributes, FixedAttributes, FixedAttributes]] = {}
_MAX_TOGETHER = 4096


def _put_together(some: FixedAttributes, others: FixedAttributes) -> FixedAttributes:
    if len(_TOGETHER) >= _MAX_TOGETHER:
        _TOGETHER.clear()
    both = others if not some else FixedAttributes({**some, **others})
    _TOGETHER[id(some), id(others)] = (some, others, both)
    return both
