"""Logins that fail too often pause. django-axes counts them: here is whom it counts, and what it answers.

It hears of every password that is taken: on the login page, for a token of the REST API, and by HTTP Basic
for the health views.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

logger = logging.getLogger(__name__)

FAILURES: Final[int] = settings.AXES_FAILURE_LIMIT
"""So many for one name from one address, each less than ``PAUSE`` after the one before."""
PAUSE: Final[timedelta] = settings.AXES_COOLOFF_TIME

_LONGEST_NAME = User._meta.get_field("username").max_length
_TOLD = "Too many failed logins with this name from this address. Try again in {} minutes."


def login_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The name that failures are counted for: as much of it as a database holds."""
    name = str((credentials or {}).get("username") or "")
    return name.replace("\0", "")[:_LONGEST_NAME]


def paused_page(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The answer of the login page while logins are paused: 429."""
    seconds = _seconds_left(login_name(request, credentials), getattr(request, "axes_ip_address", None))
    page = render(request, "desk/login_paused.html", {"told": _told(seconds)}, status=429)
    page["Retry-After"] = str(seconds)
    page["Cache-Control"] = "no-store"
    return page


def login_refused(
    sender: object, *, request: HttpRequest | Request, username: str, ip_address: str | None, **kwargs: Any
) -> None:
    """Receives axes' signal at the failure that begins a pause, and at every try in it.

    Raises Throttled out of Django's ``authenticate`` where DRF answers, which never asks axes' middleware.
    """
    if request.axes_failures_since_start is not None:  # type: ignore[union-attr]
        logger.warning(
            "logins are paused for %d minutes: %d have failed for one name from one address",
            PAUSE.total_seconds() // 60,
            FAILURES,
        )
    if isinstance(request, Request):
        seconds = _seconds_left(username, ip_address)
        refusal = Throttled(wait=seconds)
        refusal.detail = _told(seconds)  # type: ignore[assignment]
        raise refusal


def _seconds_left(name: str, address: str | None) -> int:
    """At most: failures with other browsers may be older."""
    failed = AccessAttempt.objects.filter(username=name, ip_address=address)
    latest = failed.aggregate(latest=Max("attempt_time"))["latest"] or timezone.now()
    left = latest + PAUSE - timezone.now()
    return max(1, min(int(left.total_seconds()) + 1, int(PAUSE.total_seconds())))


def _told(seconds: int) -> str:
    return _TOLD.format(-(-seconds // 60))
