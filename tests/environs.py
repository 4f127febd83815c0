"""The environ of a request as the server makes it of the bytes of its head."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from mizuchi_site.server.environ import build_environ
from mizuchi_site.server.request_head import parse_head


def environ_for(head: bytes, body: bytes = b"") -> dict[str, Any]:
    """``head`` up to the empty line, and that. Raises BadRequestError for what the server refuses."""
    environ = build_environ(
        parse_head(head),
        None,  # type: ignore[arg-type]  # what the body is read from comes below
        server=("127.0.0.1", 8080),
        peer=("127.0.0.1", 50000),
    )
    return environ | {"wsgi.input": BytesIO(body)}
