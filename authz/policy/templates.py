"""Names of OpenFGA users and objects out of templates like ``folder:{bucket}/{folder}``.

What is put in comes from callers, so it is percent-encoded: it can neither end the name it stands in nor be
read as another type, relation (``#``) or wildcard (``*``), and different values stay different.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import quote

USER_FIELDS = frozenset({"subject", "principal"})
OBJECT_FIELDS = frozenset({"bucket", "key", "folder"})
GROUP_FIELDS = frozenset({"group"})

_PIECE = re.compile(r"\{(\w*)\}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}:(?:[A-Za-z0-9._~/@|+-]|\{\w+\})+")
_KEPT = "/@|+"


def check_template(text: str, fields: Collection[str]) -> str:
    """``text`` if it is ``type:`` and plain characters or fields. Raises ValueError: what would be right."""
    named = _PIECE.findall(text)
    for name in named:
        if name not in fields:
            known = ", ".join(f"{{{field}}}" for field in sorted(fields))
            raise ValueError(f"has a field that nobody knows; known are: {known}")
    if not _NAME.fullmatch(text) or not named:
        raise ValueError("must be a type, a colon, and a name with at least one field, like bucket:{bucket}")
    return text


def expand(template: str, values: Mapping[str, str]) -> str | None:
    """The name; None when a field has no value, since ``folder:`` of nothing must not become a name."""
    parts = _PIECE.split(template)
    for index in range(1, len(parts), 2):
        value = values.get(parts[index], "")
        if not value:
            return None
        parts[index] = quote(value, safe=_KEPT, errors="surrogatepass")
    return "".join(parts)
