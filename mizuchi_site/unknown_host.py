"""The answer to a request for a page at a host that is not ours."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.request import split_domain_port, validate_host

logger = logging.getLogger(__name__)


def is_known_host(environ: dict[str, Any], allowed_hosts: Sequence[str]) -> bool:
    """Whether ``server.allowed_hosts`` names the host, by Django's rules (``HttpRequest.get_host``)."""
    host = environ["HTTP_HOST"] if "HTTP_HOST" in environ else environ["SERVER_NAME"]
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed_hosts)


def unknown_host(request: HttpRequest) -> HttpResponse:
    """400. The host is the client's text: neither answer nor log repeats it."""
    logger.warning("A page was asked for at a host that server.allowed_hosts does not name: refused.")
    return HttpResponseBadRequest("This host is not served here.\n", content_type="text/plain")
