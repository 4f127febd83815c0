"""Where a request for a page comes from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

from uploads.http import is_trusted

_WITH_PORT = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](?::[0-9]+)?|(?P<v4>[0-9.]+):[0-9]+")
_IPV6_SITE_BITS = 64


def client_address(request: HttpRequest) -> str | None:
    """The address that failed logins are counted for; of IPv6 the network of 64 bits, which is one site's.

    ``X-Forwarded-For`` counts when the peer is one of ``server.trusted_proxies``: the last address in it that
    is not such a proxy. None when the peer has no address.
    """
    address = _client(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        tuple(settings.SERVER.trusted_proxies),
    )
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_SITE_BITS), strict=False).network_address)
    return None if address is None else str(address)


def _client(
    peer: str, forwarded: str, proxies: Sequence[str]
) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """What is no address ends the way back: the proxy that said it stands for its clients."""
    found = _parse(peer)
    for hop in reversed(forwarded.split(",") if forwarded else ()):
        address = _parse(hop.strip())
        if found is None or address is None or not is_trusted(str(found), tuple(proxies)):
            break
        found = address
    return found


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((match["v6"] or match["v4"]) if match else text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
