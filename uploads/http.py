"""The head of a WSGI request as the S3 protocol core and SigV4 read it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from authz.sigv4.parts import RequestParts

Environ = Mapping[str, Any]

_WITHOUT_PREFIX = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
_METADATA = "x-amz-meta-"


def request_parts(environ: Environ, trusted_proxies: Sequence[str] = ()) -> RequestParts:
    """``mizuchi.path`` is the percent-decoded path as bytes, put there before Django read it."""
    scheme, host = client_authority(environ, trusted_proxies)
    return RequestParts(
        environ["REQUEST_METHOD"],
        environ["mizuchi.path"],
        environ.get("QUERY_STRING", ""),
        read_headers(environ),
        scheme,
        host,
        tuple([name for name, _ in environ.get("mizuchi.headers", ()) if name.startswith(_METADATA)]),
    )


def client_authority(environ: Environ, trusted_proxies: Sequence[str]) -> tuple[str, str]:
    """Scheme and host as the client used them: ``X-Forwarded-Proto`` and ``-Host`` count only when the peer
    is one of ``trusted_proxies``."""
    scheme, host = environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")
    if trusted_proxies and is_trusted(environ.get("REMOTE_ADDR", ""), tuple(trusted_proxies)):
        scheme = _first(environ.get("HTTP_X_FORWARDED_PROTO", "")) or scheme
        host = _first(environ.get("HTTP_X_FORWARDED_HOST", "")) or host
    return scheme, host


def read_headers(environ: Environ) -> dict[str, str]:
    """Header names in lower case with ``_`` read as ``-``, repeated values joined by a comma.

    Our server leaves names with an underscore out of the environ, where they could pass for the header
    with a dash; only user metadata is let in by such a name.
    """
    sent: Sequence[tuple[str, str]] = environ.get("mizuchi.headers", ())
    headers = dict(sent)
    if headers and len(headers) == len(sent) and "_" not in "".join(headers):
        # As nearly always: nothing is repeated, so nothing is joined, and no name can pass for another.
        for name in _WITHOUT_PREFIX.values():
            if headers.get(name) == "":
                del headers[name]
        return headers
    headers = {name: environ[key] for key, name in _WITHOUT_PREFIX.items() if environ.get(key)}
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            headers[key[5:].replace("_", "-").lower()] = value
    for name, value in sent:
        if "_" in name and name.startswith(_METADATA):
            headers[name.replace("_", "-")] = value
    return headers


@lru_cache(maxsize=4096)
def is_trusted(address: str, networks: tuple[str, ...]) -> bool:
    """Is the peer's address in one of the networks (addresses or CIDR blocks)?"""
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(peer in ipaddress.ip_network(network, strict=False) for network in networks)


def _first(values: str) -> str:
    return values.partition(",")[0].strip()
