"""What a collector or library says about a failure, made fit for logs and the health page."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MAX_LENGTH = 200
_CREDENTIALS = re.compile(r"(?i)\b(bearer|basic)\s+[^\s,;\"']+")
_SCHEMES = {"bearer", "basic", "apikey"}
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


class Scrubber:
    """Takes out the headers' values and anything like credentials, control characters, and length."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        words = {word for _, value in headers for word in (value, *value.split())}
        words = {word for word in words if len(word) > 3 and word.lower() not in _SCHEMES}
        # The longest first: a part of a value must not spoil the match of the whole.
        self._secrets = sorted(words, key=len, reverse=True)

    def __call__(self, said: str) -> str:
        said = _CREDENTIALS.sub(r"\1 [redacted]", said)
        for secret in self._secrets:
            said = said.replace(secret, "[redacted]")
        return _UNPRINTABLE.sub(" ", said).strip()[:_MAX_LENGTH]
