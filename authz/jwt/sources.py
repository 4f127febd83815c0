"""Where a request carries a token. Sources: RFC 6750, 2; RFC 9110, 11.4 (the scheme in any case)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote_plus

from authz.config import TokenSource
from authz.sigv4.parts import RequestParts


def presented_tokens(parts: RequestParts, sources: Sequence[TokenSource]) -> tuple[str, ...]:
    """Every token that the request brings where these sources look; an empty one counts as none."""
    return tuple(token for source in sources for token in _tokens_at(parts, source) if token)


def _tokens_at(parts: RequestParts, source: TokenSource) -> Iterator[str]:
    if source.kind == "bearer":
        scheme, _, token = parts.headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() == "bearer":
            yield token.strip()
    elif source.kind == "header":
        yield parts.headers.get(source.name, "").strip()
    else:
        yield from _in_query(parts.query, source.name)


def _in_query(query: str, name: str) -> Iterator[str]:
    for field in query.split("&"):
        raw_name, _, value = field.partition("=")
        if unquote_plus(raw_name) == name:
            yield unquote_plus(value)
