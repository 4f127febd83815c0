"""The span of an authentication."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from authz.errors import AuthError
from tracing_app.api import Stage, stage


@contextmanager
def auth_stage(name: Literal["auth.sigv4", "auth.jwt", "auth.sts"]) -> Iterator[Stage]:
    """A stage that carries the outcome, and the reason of a refusal."""
    with stage(name) as current:
        try:
            yield current
        except AuthError as error:
            current.set("mizuchi.auth.outcome", "failure")
            current.set("mizuchi.auth.reason", error.reason)
            raise
        current.set("mizuchi.auth.outcome", "success")
