"""How the names of callers begin who have no access key: no access key's principal may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from authz.jwt.principal import PREFIX as TOKEN_PREFIX

STAFF_PREFIX = "user:"

RESERVED: Final[Mapping[str, str]] = {
    TOKEN_PREFIX: "callers with a token",
    STAFF_PREFIX: "staff who upload in the browser",
}


def reserved_prefix(principal: str) -> str | None:
    """The prefix of another kind of caller that a principal begins with; ``RESERVED`` says of whose."""
    return next((prefix for prefix in RESERVED if principal.startswith(prefix)), None)
