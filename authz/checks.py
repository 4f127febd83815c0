"""Django system checks of who may upload."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning

from authz.apps import authz_app


def check_anonymous_buckets(**kwargs: Any) -> list[CheckMessage]:
    """mizuchi.W001: a bucket that takes uploads from anybody."""
    return [
        Warning(
            f"Bucket {name!r} takes uploads from anybody who reaches the gateway.",
            hint="Set auth.anonymous to false, or limit max_object_bytes, content_types and key_pattern.",
            id="mizuchi.W001",
        )
        for name, rules in authz_app().config.buckets.items()
        if rules.anonymous
    ]
