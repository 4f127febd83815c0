"""The canonical request: the one text that client and gateway must both arrive at.

Every ``str`` here has one character for each byte (latin-1, as WSGI hands headers over), so encoding it
as latin-1 gives the bytes that are hashed. Source: S3 API reference, "Signature Calculations for the
Authorization Header" (canonical request) and "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .parts import RequestParts

ALL_PARAMETERS: frozenset[str] = frozenset()
WITHOUT_SIGNATURE = frozenset({"x-amz-signature"})

_SPACES = re.compile(" {2,}")


def encode_uri(path: bytes) -> str:
    """The canonical URI of a decoded path: unreserved characters and ``/`` stay, the rest becomes ``%XX``.

    S3 encodes once and normalises nothing: ``//`` and ``..`` stay as the client sent them.
    """
    return quote_from_bytes(path, "/") or "/"


def query_pairs(raw_query: str) -> list[tuple[bytes, bytes]]:
    """Decoded (name, value) pairs in the order sent; a name without ``=`` has an empty value.

    A literal ``+`` is a space, as S3 reads it. A client that means a plus sends ``%2B``.
    """
    raw = one_character_per_byte(raw_query).encode("latin-1").replace(b"+", b" ")
    pairs = (segment.partition(b"=") for segment in raw.split(b"&") if segment)
    return [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs]


def encode_query(pairs: Iterable[tuple[bytes, bytes]]) -> str:
    """The canonical query of decoded pairs: encoded, then sorted by name and value; fit for the wire too."""
    encoded = sorted((quote_from_bytes(name, ""), quote_from_bytes(value, "")) for name, value in pairs)
    return "&".join([f"{name}={value}" for name, value in encoded])


def canonical_query(raw_query: str, *, without: frozenset[str]) -> str:
    """The canonical form of a raw query string; parameters named in ``without`` (lower case) are left out."""
    if not raw_query:
        return ""
    pairs = query_pairs(raw_query)
    if without:
        pairs = [pair for pair in pairs if pair[0].decode("latin-1").lower() not in without]
    return encode_query(pairs)


def canonical_value(value: str) -> str:
    """A header value trimmed, with runs of spaces made one, and one character for each byte."""
    value = value.strip(" \t")
    if "  " in value:
        value = _SPACES.sub(" ", value)
    return value if value.isascii() else one_character_per_byte(value)


def signed_values(parts: RequestParts, signed_headers: Iterable[str]) -> dict[str, str]:
    """Each signed header's canonical value, in the order given; one that did not arrive is empty."""
    headers = parts.headers
    values = {name: canonical_value(headers.get(name.replace("_", "-"), "")) for name in signed_headers}
    if "host" in values and parts.host:
        values["host"] = canonical_value(parts.host)
    if values.get("expect") == "":
        # Servers and proxies answer Expect themselves and drop it; HTTP knows only this one value.
        values["expect"] = "100-continue"
    return values


def assemble(method: str, uri: str, query: str, values: Mapping[str, str], payload_hash: str) -> str:
    """The canonical request of parts that are canonical already; ``values`` is sorted by header name."""
    lines = "".join([f"{name}:{value}\n" for name, value in values.items()])
    return f"{method}\n{uri}\n{query}\n{lines}\n{';'.join(values)}\n{payload_hash}"


def canonical_request(
    parts: RequestParts, signed_headers: Iterable[str], payload_hash: str, *, is_presigned: bool
) -> str:
    """The canonical request of a request as it arrived.

    ``is_presigned``: the signature came in the query, so it is not part of what was signed.
    """
    without = WITHOUT_SIGNATURE if is_presigned else ALL_PARAMETERS
    return assemble(
        parts.method,
        encode_uri(parts.path),
        canonical_query(parts.query, without=without),
        signed_values(parts, signed_headers),
        payload_hash,
    )


def one_character_per_byte(text: str) -> str:
    """``text`` unless it has characters beyond latin-1, which only its UTF-8 bytes can stand for."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("latin-1")
    return text
