"""The span of an authentication, and its count."""

from __future__ import annotations

from functools import lru_cache
from types import TracebackType
from typing import Literal

from authz.errors import AuthError
from authz.metrics import AUTHENTICATIONS
from tracing_app.api import FixedAttributes, stage, subject_hash


class auth_stage(stage):  # noqa: N801 - reads as the context manager it is
    """A stage that carries the outcome, and the reason of a refusal."""

    __slots__ = ("_is_told", "_method")

    def __init__(self, name: Literal["auth.sigv4", "auth.jwt", "auth.sts"]) -> None:
        super().__init__(name)
        self._is_told = False
        self._method = name[5:]

    def prove(self, method: str, principal: str) -> None:
        """It is known who it is: all that remains is to leave."""
        self.set_all(_proven(method, subject_hash(principal)))
        self._method = method
        self._is_told = True

    def admit_anonymous(self) -> None:
        """Nobody says who it is, and nobody needs to."""
        self.set("mizuchi.auth.method", "anonymous")
        self._method = "anonymous"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, AuthError):
            self.set("mizuchi.auth.outcome", "failure")
            self.set("mizuchi.auth.reason", error.reason)
        elif error is None and not self._is_told:
            self.set("mizuchi.auth.outcome", "success")
        super().__exit__(kind, error, traceback)
        AUTHENTICATIONS.add(_labels(self._method, error))


def _labels(method: str, error: BaseException | None) -> tuple[str, str, str]:
    """``failure``: who it is was not proven; ``error``: that could not be found out."""
    if error is None:
        return method, "success", ""
    if isinstance(error, AuthError):
        return method, "failure" if error.status < 500 else "error", error.code
    return method, "error", type(error).__name__


@lru_cache(maxsize=1024)
def _proven(method: str, user_hash: str) -> FixedAttributes:
    return FixedAttributes(
        {"mizuchi.auth.method": method, "user.hash": user_hash, "mizuchi.auth.outcome": "success"}
    )
