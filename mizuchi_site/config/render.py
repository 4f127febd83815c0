"""An effective configuration as text and as JSON, without its secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from .loader import LoadedConfig
from .sources import Leaf, leaves

MASK = "********"


def as_lines(loaded: LoadedConfig) -> list[str]:
    """``path = value  (source)`` for every leaf; values are JSON."""
    return [
        f"{leaf.path} = {json.dumps(shown(leaf), ensure_ascii=False)}  ({loaded.sources[leaf.path]})"
        for leaf in leaves(loaded.config)
    ]


def as_json(loaded: LoadedConfig) -> str:
    """An object with the file and, for every leaf, its value and source."""
    values = {
        leaf.path: {"value": shown(leaf), "source": loaded.sources[leaf.path]}
        for leaf in leaves(loaded.config)
    }
    file = str(loaded.file) if loaded.file else None
    return json.dumps({"file": file, "values": values}, indent=2, ensure_ascii=False)


def shown(leaf: Leaf) -> Any:
    """The value of a leaf as it may be seen. Options of a Django storage are hidden: each may be a secret."""
    if leaf.location in (("database", "url"), ("cache", "url")) and leaf.value is not None:
        return _without_password(leaf.value.get_secret_value())
    if leaf.location[2:3] == ("webhooks",) and leaf.location[-1] == "url":
        return _host_only(leaf.value.get_secret_value())
    if isinstance(leaf.value, SecretStr) or (leaf.location[2:3] == ("options",) and leaf.value != {}):
        return MASK
    return str(leaf.value) if isinstance(leaf.value, Path) else leaf.value


def _host_only(url: str) -> str:
    """Scheme, host and port: paths of webhooks are often secrets, and queries."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{MASK}"


def _without_password(url: str) -> str:
    """User, host and path; a password and what follows ``?`` are hidden."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    query = f"?{MASK}" if parts.query else ""
    return f"{parts.scheme}://{user}{colon and ':' + MASK}{at}{host}{parts.path}{query}"
