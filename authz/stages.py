"""The span of an authentication."""

from __future__ import annotations

from types import TracebackType
from typing import Literal

from authz.errors import AuthError
from tracing_app.api import stage


class auth_stage(stage):  # noqa: N801 - reads as the context manager it is
    """A stage that carries the outcome, and the reason of a refusal."""

    __slots__ = ()

    def __init__(self, name: Literal["auth.sigv4", "auth.jwt", "auth.sts"]) -> None:
        super().__init__(name)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, AuthError):
            self.set("mizuchi.auth.outcome", "failure")
            self.set("mizuchi.auth.reason", error.reason)
        elif error is None:
            self.set("mizuchi.auth.outcome", "success")
        super().__exit__(kind, error, traceback)
