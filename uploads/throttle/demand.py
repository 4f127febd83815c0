"""What a request takes of limits, and what comes of it: the border between rules and who counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol


class Demand(NamedTuple):
    """Of one limit. ``name`` is what is counted together, ``reason`` whose limit it is.

    A request moves the limit's own clock on by ``interval_us``; it may be ahead of the real one by
    ``tolerance_us`` (the generic cell rate algorithm, ITU-T I.371: a token bucket in one number). 0: any
    number of requests. ``concurrent``: so many uploads at the same time, of which this is one; 0: any, or no
    upload.
    """

    name: str
    reason: Literal["principal", "bucket"]
    interval_us: int = 0
    tolerance_us: int = 0
    concurrent: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was taken. ``retry_after_us`` is when there is room again, None when nobody knows."""

    kind: Literal["rate", "concurrency"]
    reason: str
    retry_after_us: int | None = None


class Lease(Protocol):
    """The place of an upload that is under way."""

    def release(self) -> None:
        """It is over. Never raises."""


class Counter(Protocol):
    """Where limits are counted; thread-safe."""

    def take(self, demands: Sequence[Demand]) -> Refusal | Lease | None:
        """Take what all of them ask, or nothing. None: taken, and nothing to give back."""

    def check(self) -> str:
        """Where it counts; raises when it cannot."""
