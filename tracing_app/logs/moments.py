"""A record's time as text, to the second; records of the same second share it."""

from __future__ import annotations

import time
from collections.abc import Callable


class Moments:
    """Formats Unix seconds; ``convert`` is ``time.localtime`` or ``time.gmtime``. Any thread may call it."""

    def __init__(self, pattern: str, convert: Callable[[float], time.struct_time]) -> None:
        self._pattern = pattern
        self._convert = convert
        self._last = (-1, "")

    def __call__(self, created: float) -> str:
        second, text = self._last
        if second != int(created):
            text = time.strftime(self._pattern, self._convert(created))
            self._last = (int(created), text)
        return text
