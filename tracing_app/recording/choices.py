"""Choices of head sampling: whether the sampled flag of a trace is set.

``Always``, ``Never``, ``Ratio``, and ``ParentBased`` over any of them. Nothing here is of the SDK: the
configuration is checked with these also where nothing is traced.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from opentelemetry.trace import SpanContext, TraceFlags

_LOWER_64_BITS = 2**64 - 1


class Choice(Protocol):
    """Whether the trace is sampled. ``parent`` is None for a root span."""

    @property
    def description(self) -> str: ...

    def is_sampled(self, parent: SpanContext | None, trace_id: int) -> bool: ...


class RemoteCap(Protocol):
    """How many remote parents with the sampled flag are obeyed."""

    @property
    def description(self) -> str: ...

    def admits(self) -> bool:
        """Whether one more is. Called once for each trace that comes in sampled."""


@dataclass(frozen=True, slots=True)
class Always:
    """Every trace."""

    description: str = field(default="Always", init=False)

    def is_sampled(self, parent: SpanContext | None, trace_id: int) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Never:
    """No trace."""

    description: str = field(default="Never", init=False)

    def is_sampled(self, parent: SpanContext | None, trace_id: int) -> bool:
        return False


class Ratio:
    """A share of all traces, by the lower 64 bits of the trace id as other OpenTelemetry SDKs count them.

    So services with the same ratio keep the same traces. Raises ValueError for a ratio outside of 0 to 1.
    """

    def __init__(self, ratio: float) -> None:
        if not 0.0 <= ratio <= 1.0:
            raise ValueError("a ratio is in the range from 0 to 1")
        self._bound = round(ratio * 2**64)
        self.description = f"Ratio{{{ratio}}}"

    def is_sampled(self, parent: SpanContext | None, trace_id: int) -> bool:
        return trace_id & _LOWER_64_BITS < self._bound


class Unlimited:
    """Every remote parent is obeyed."""

    description = "unlimited"

    def admits(self) -> bool:
        return True


class RatioCap:
    """A share of the remote parents is obeyed, drawn by lot: a client chooses its trace ids itself."""

    def __init__(self, ratio: float, draw: Callable[[], float] = random.random) -> None:
        self._ratio = ratio
        self._draw = draw
        self.description = f"ratio:{ratio}"

    def admits(self) -> bool:
        return self._draw() < self._ratio


class RateCap:
    """At most ``per_second`` remote parents a second are obeyed, and no more than that at once.

    A token bucket; ``clock`` gives seconds and never goes back.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._size = max(per_second, 1.0) if per_second > 0 else 0.0
        self._clock = clock
        self._tokens = self._size
        self._filled_at = clock()
        # Taking a token reads and writes two numbers; without a lock, threads would take the same one.
        self._lock = threading.Lock()
        self.description = f"per_second:{per_second}"

    def admits(self) -> bool:
        now = self._clock()
        with self._lock:
            elapsed = max(now - self._filled_at, 0.0)
            self._filled_at = max(now, self._filled_at)
            self._tokens = min(self._size, self._tokens + elapsed * self._per_second)
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True


class TrustedFlags(TraceFlags):
    """Flags of a remote parent that nobody but this gateway can have set."""


def trusted(parent: SpanContext) -> SpanContext:
    """The same parent; its sampled flag is obeyed without a cap."""
    trace_id, span_id, is_remote, flags, state, _ = parent
    return SpanContext(trace_id, span_id, is_remote, TrustedFlags(flags), state)


class ParentBased:
    """As the parent was sampled; ``root`` chooses where there is none.

    A remote parent's flag counts only while ``remote_cap`` admits it. Beyond, the trace is not sampled: a
    choice by trace id would be in the client's hand.
    """

    def __init__(self, root: Choice, remote_cap: RemoteCap | None = None) -> None:
        self._root = root
        self._remote_cap = remote_cap or Unlimited()
        self.description = f"ParentBased{{root:{root.description},remote:{self._remote_cap.description}}}"

    def is_sampled(self, parent: SpanContext | None, trace_id: int) -> bool:
        if parent is None:
            return self._root.is_sampled(None, trace_id)
        if not parent.trace_flags.sampled:
            return False
        is_ours = not parent.is_remote or isinstance(parent.trace_flags, TrustedFlags)
        return is_ours or self._remote_cap.admits()
