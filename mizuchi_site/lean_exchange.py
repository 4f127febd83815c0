"""A request and its answer where Django is used without what a view there has no use for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

from django.core.handlers.wsgi import WSGIRequest, get_path_info
from django.db import connections
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property

logger = logging.getLogger(__name__)


class LeanRequest(WSGIRequest):
    """The head of a request. Without ``body``, ``POST`` and ``FILES``: who serves it reads ``wsgi.input``.
    ``PATH_INFO`` stays as the server wrote it."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = self.META = environ
        self.method = environ["REQUEST_METHOD"].upper()

    @cached_property
    def path_info(self) -> str:  # type: ignore[override]
        """As Django reads it: what is not UTF-8 stays percent-encoded."""
        return get_path_info(self.META) or "/"

    @cached_property
    def path(self) -> str:  # type: ignore[override]
        return self.path_info


class Answer:
    """A response as the server takes it. When it is closed the request is over: no signal says so, but the
    database is looked after as Django does then."""

    __slots__ = ("_response", "streaming")

    def __init__(self, response: HttpResponseBase) -> None:
        self._response = response
        self.streaming = response.streaming

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def close(self) -> None:
        for closer in self._response._resource_closers:  # type: ignore[attr-defined]
            try:
                closer()
            except Exception:
                logger.exception("a request did not end as it should")
        close_spent_connections()


_own = threading.local()


def close_spent_connections() -> None:
    """Close this thread's connections to databases that are broken or too old. When a request is over this is
    enough: one that breaks afterwards is found by ``CONN_HEALTH_CHECKS``."""
    try:
        own = _own.connections
    except AttributeError:  # Django makes them once for a thread; to find them again costs more than to look
        own = _own.connections = connections.all()
    for connection in own:
        connection.close_if_unusable_or_obsolete()
