"""Where the collector's own pages show a trace: ``tracing.ui_url``."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

PLACE: Final = "{trace_id}"

# RFC 3986, section 2: reserved and unreserved characters, and percent-encoded bytes.
_URL = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")


def check_ui_url(template: str) -> None:
    """See that the template makes an http(s) address of any trace id.

    Raises:
        ValueError: it does not; says what would be right.
    """
    if not template.lower().startswith(("http://", "https://")):
        raise ValueError(
            "does not begin with http:// or https://: write http://jaeger:16686/trace/{trace_id}"
        )
    without = template.replace(PLACE, "_")
    if "{" in without or "}" in without:
        raise ValueError("braces other than those of {trace_id}: write them as %7B and %7D")
    if not _URL.fullmatch(without):
        raise ValueError("characters that an address has only percent-encoded, like %20 for a space")
    _check_host(template)
    if PLACE not in template:
        raise ValueError("{trace_id} is missing: write it where the id of the trace belongs")


def ui_url(template: str, trace_id: str) -> str:
    """The address of a trace, by a template that was checked. ``trace_id``: 32 hex digits."""
    return template.replace(PLACE, trace_id)


def _check_host(template: str) -> None:
    try:
        parts = urlsplit(template)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the host or its port is not valid: write for example http://jaeger:16686") from None
    if PLACE in parts.netloc:
        raise ValueError("{trace_id} belongs after the host: the page of every trace is on one host")
    if "@" in parts.netloc:
        raise ValueError("credentials in the address: whoever opens the page logs in by themselves")
    if not host:
        raise ValueError("no host: write for example http://jaeger:16686/trace/{trace_id}")
