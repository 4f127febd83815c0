"""Django system checks of the rooms together."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning


def check_shared_secret(**kwargs: Any) -> list[CheckMessage]:
    """mizuchi.W002: nodes that share a database but not the secret that protects what is in it."""
    if not settings.IS_SECRET_LOCAL or settings.DATABASES["default"]["ENGINE"].endswith(".sqlite3"):
        return []
    return [
        Warning(
            "The secret that protects upload ids and stored access keys is in a file of this machine, but "
            "the database can be shared. No other node could use these keys, or go on with uploads.",
            hint="Put the content of var/secret.key into security.secret_keys of every node.",
            id="mizuchi.W002",
        )
    ]


def check_shared_limits(**kwargs: Any) -> list[CheckMessage]:
    """mizuchi.W016: limits that every worker process counts by itself."""
    throttle, workers = settings.UPLOADS.throttle, settings.SERVER.workers
    if throttle.is_unlimited or throttle.redis_url is not None or workers == 1:
        return []
    return [
        Warning(
            f"Limits of requests and uploads at a time are counted by each of {workers} workers for itself: "
            "together they let through as many times what is configured.",
            hint="Set cache.url to a Redis, which all workers and nodes then count in.",
            id="mizuchi.W016",
        )
    ]
