"""Django's records of requests for pages, without what the client wrote.

Django names the path, the method, the Referer and Origin, and repeats the text of a suspicious operation.
A path may be a key: of a client that takes the admin's host for a bucket's, or that looks for one there.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest

from tracing_app.api import known_method

_LOGGERS = ("django.request", "django.security.")
_NO_PAGE = "no page"


class WithoutClientText(logging.Filter):
    """For handlers. A path becomes the route, an unknown method ``_OTHER``; reasons lose their details."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if not isinstance(request, HttpRequest) or not record.name.startswith(_LOGGERS):
            return True
        route = request.resolver_match.route if request.resolver_match else _NO_PAGE
        if not isinstance(record.args, tuple) or not record.args:
            record.msg, record.args = "refused: %s", (route,)
            return True
        *reasons, _path = record.args
        record.args = (*(_shown(reason, request) for reason in reasons), route)
        return True


def _shown(reason: object, request: HttpRequest) -> object:
    if isinstance(reason, str) and reason == request.method:
        return known_method(reason)
    return reason.partition(" - ")[0] if isinstance(reason, str) else reason
