"""Which hosts are this machine, so that nobody else is on the way to them."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """``host`` as it stands in a URL, without brackets."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
