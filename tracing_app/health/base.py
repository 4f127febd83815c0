"""What a health check is: something with a name that can be run and says how it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "degraded", "failed"]


@dataclass(frozen=True, slots=True)
class Health:
    """The outcome of one check. ``detail`` is for operators and holds no secret; ``seconds`` it took."""

    name: str
    status: Status
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """A check: ``probe`` returns a detail when all is well and raises when it is not.

    A check that is not ``is_vital`` can only make the service *degraded*, never unready.
    """

    name: str
    probe: Callable[[], str]
    is_vital: bool = True

    def run(self) -> Health:
        began = time.perf_counter()
        try:
            detail = self.probe()
        except Exception as error:  # noqa: BLE001 - whatever fails, the answer is that it failed
            status: Status = "failed" if self.is_vital else "degraded"
            return Health(self.name, status, str(error), time.perf_counter() - began)
        return Health(self.name, "ok", detail, time.perf_counter() - began)


def overall(outcomes: Sequence[Health]) -> Status:
    """The worst of the outcomes."""
    statuses = {health.status for health in outcomes}
    if "failed" in statuses:
        return "failed"
    return "degraded" if "degraded" in statuses else "ok"
