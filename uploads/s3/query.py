"""The query of a request, decoded, and the headers that a presigned URL carries in it.

Source: S3 API reference, "Authenticating requests: using query parameters".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote_plus

from .addressing import is_xml_text
from .errors import InvalidArgument, InvalidRequest, InvalidURI

# What signs a URL is no header of the object. The JavaScript SDK also signs the checksum of an empty
# body into every URL for a body it does not have yet; S3 ignores checksums there, and so must we.
_NOT_HOISTED = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signedheaders",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-content-sha256",
        "x-amz-sdk-checksum-algorithm",
    }
)
_NO_QUERY: Mapping[str, str] = MappingProxyType({})
_NOT_HOISTED_PREFIX = "x-amz-checksum-"
_STILL_HOISTED = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-type"})


def parse_query(raw: str) -> Mapping[str, str]:
    """Decoded names to values; a name without ``=`` has the value ``""``, a bad escape stays as it is.

    Raises InvalidURI for what is not UTF-8 or not XML text, InvalidArgument for a name given twice.
    """
    if not raw:
        return _NO_QUERY
    query: dict[str, str] = {}
    for field in raw.split("&"):
        if not field:
            continue
        name, _, value = field.partition("=")
        decoded = _decode(name)
        if decoded in query:
            raise InvalidArgument(f"The query parameter {decoded} is given more than once. Send it once.")
        query[decoded] = _decode(value)
    return MappingProxyType(query)


def with_presigned_headers(headers: Mapping[str, str], query: Mapping[str, str]) -> Mapping[str, str]:
    """``headers`` and, of a presigned URL, the ``x-amz-*`` headers that were signed into its query.

    Raises InvalidRequest for a header that says something else than the URL.
    """
    if not query:
        return headers
    parameters = {name.lower(): value for name, value in query.items()}
    if "x-amz-signature" not in parameters:
        return headers
    merged = dict(headers)
    for name, value in parameters.items():
        if not _is_hoisted(name):
            continue
        as_wsgi = value.encode().decode("latin-1")
        sent = headers.get(name.replace("_", "-"))
        if sent is None:
            merged[name] = as_wsgi
        elif sent != as_wsgi:
            raise InvalidRequest(
                f"The header {name} differs from the one in the presigned URL. Leave it out."
            )
    return MappingProxyType(merged)


def _is_hoisted(name: str) -> bool:
    if not name.startswith("x-amz-") or name in _NOT_HOISTED:
        return False
    return name in _STILL_HOISTED or not name.startswith(_NOT_HOISTED_PREFIX)


def _decode(text: str) -> str:
    try:
        decoded = unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidURI("Could not parse the specified URI: its query is not valid UTF-8.") from None
    if not is_xml_text(decoded):
        raise InvalidURI("Could not parse the specified URI: its query has a control character.")
    return decoded
