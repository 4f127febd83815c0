"""Sessions end after ``SESSION_COOKIE_AGE`` without a page, not so long after the login."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

RENEWED_AFTER_SECONDS: Final = 300
_RENEWED_AT = "renewed_at"
_NOBODYS_WORK = "/api/"


class IdleSessionMiddleware:
    """Renews the session of who is logged in, so seldom that pages stay free of writes.

    Requests of the REST API do not: open pages refresh themselves by them when nobody is there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(_NOBODYS_WORK):
            _renew(request)
        return self._get_response(request)


def _renew(request: HttpRequest) -> None:
    session = request.session
    if session.session_key is None or not request.user.is_authenticated:
        return
    now = time.time()
    if now - session.get(_RENEWED_AT, 0.0) > RENEWED_AFTER_SECONDS:
        session[_RENEWED_AT] = now
