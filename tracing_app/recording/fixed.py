"""Attributes that many spans have in common: checked once, encoded once, never copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from .attributes import clean_attributes

_MAX_COUNT, _MAX_LENGTH = 128, 4096
_MAX_TOGETHER = 256


Plain = str | bool | int | float


class FixedAttributes(dict[str, Plain]):
    """Give them to a span where attributes are given. Make them once and keep them: what does not repeat is
    better given as plain attributes.

    Nobody writes to them, so an encoder may keep what it made of them: as keys they are what they are, not
    what is in them. ``plus[others]`` are both together, always the same object; of a key that both have it
    has the value of ``others``. ``weight`` is what they take in a queue, kept here by who asks for it first.
    """

    __slots__ = ("plus", "weight")

    __hash__ = object.__hash__  # type: ignore[assignment]  # a dict has none

    def __init__(self, attributes: Mapping[str, Plain]) -> None:
        cleaned, _ = clean_attributes(attributes, _MAX_COUNT, _MAX_LENGTH)
        super().__init__(cast(dict[str, Plain], cleaned))
        self.plus = _Together(self)
        self.weight: int | None = None


class _Together(dict[FixedAttributes, FixedAttributes]):
    """``some`` with others, made when they are asked for."""

    __slots__ = ("_some",)

    def __init__(self, some: FixedAttributes) -> None:
        self._some = some

    def __missing__(self, others: FixedAttributes) -> FixedAttributes:
        if len(self) >= _MAX_TOGETHER:
            self.clear()
        both = FixedAttributes({**self._some, **others}) if self._some else others
        self[others] = both
        return both


NOTHING = FixedAttributes({})
