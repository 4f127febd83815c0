"""What a signature is computed over: the request as it came, free of any framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class RequestParts:
    """One HTTP request's head.

    ``path`` is the percent-decoded path as bytes, as the client sent it (before any virtual-host
    rewriting). ``query`` is the raw query string, still percent-encoded, without ``?``. ``headers``
    maps lower-case names, with ``_`` read as ``-`` (WSGI cannot tell them apart), to values;
    repeated headers arrive joined by a comma. ``scheme`` is ``http`` or ``https`` and ``host`` the
    authority the client used, both after trusted-proxy headers were applied. ``metadata_names`` are the
    names of user metadata headers as the client spelled them, ``_`` and all.

    Not frozen, for Python makes that dear, and every request makes one: nobody changes it.
    """

    method: str
    path: bytes
    query: str
    headers: Mapping[str, str]
    scheme: str = "http"
    host: str = ""
    metadata_names: tuple[str, ...] = ()
