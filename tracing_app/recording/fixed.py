"""Attributes that many spans have in common: checked once, encoded once, never copied.

Compiled where a C compiler is at hand (``tracing_app.compiled``); ``fixed.pxd`` has the types.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import cast

from .attributes import clean_attributes

_MAX_COUNT, _MAX_LENGTH = 128, 4096
_MAX_TOGETHER = 256

_numbers = count(1)

Plain = str | bool | int | float


class FixedAttributes(dict[str, Plain]):
    """Give them to a span where attributes are given. Make them once and keep them: what does not repeat is
    better given as plain attributes.

    Nobody writes to them, so an encoder may keep what it made of them, by their ``number``, which no others
    ever have. ``weight`` is what they take in a queue, kept here by who asks for it first; ``wire`` is
    the encoder's.
    """

    __slots__ = ("_together", "number", "weight", "wire")

    def __init__(self, attributes: Mapping[str, Plain]) -> None:
        cleaned, _ = clean_attributes(attributes, _MAX_COUNT, _MAX_LENGTH)
        super().__init__(cast(dict[str, Plain], cleaned))
        self.number = next(_numbers)
        self._together: dict[int, FixedAttributes] = {}
        self.wire: tuple[object, ...] | None = None
        self.weight: int | None = None

    def plus(self, others: FixedAttributes) -> FixedAttributes:
        """Both together, always the same object; of a key that both have it has the value of ``others``."""
        both = self._together.get(others.number)
        return self._put_together(others) if both is None else both

    def _put_together(self, others: FixedAttributes) -> FixedAttributes:
        if len(self._together) >= _MAX_TOGETHER:
            self._together.clear()
        both = FixedAttributes({**self, **others}) if self else others
        self._together[others.number] = both
        return both


NOTHING = FixedAttributes({})
