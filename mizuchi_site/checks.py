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
