"""The leaf that every other room uses to say what happens: stages of a request, and its trace id.

A stage is a named piece of work with attributes. Attribute names follow the OpenTelemetry semantic
conventions; names of our own start with ``mizuchi.``. Values never hold secrets or a person's data.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

AttributeValue = str | bool | int | float

logger = logging.getLogger("mizuchi.trace")

_trace_id: ContextVar[str] = ContextVar("mizuchi_trace_id", default="")


@dataclass(slots=True)
class Stage:
    """A piece of work under way; ``set`` adds attributes, ``event`` marks a moment."""

    name: str
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    events: list[tuple[str, int]] = field(default_factory=list)

    def set(self, name: str, value: AttributeValue) -> None:
        self.attributes[name] = value

    def event(self, name: str) -> None:
        self.events.append((name, time.time_ns()))


@contextmanager
def stage(name: str, attributes: Mapping[str, AttributeValue] | None = None) -> Iterator[Stage]:
    """Wrap a step of a request: its duration, attributes, events and outcome are recorded."""
    current = Stage(name, dict(attributes or {}))
    began = time.perf_counter_ns()
    error = ""
    try:
        yield current
    except BaseException as exc:
        error = type(exc).__name__
        raise
    finally:
        if logger.isEnabledFor(logging.DEBUG):
            elapsed_ms = (time.perf_counter_ns() - began) / 1e6
            logger.debug(
                "%s %.3f ms trace_id=%s error=%s %s", name, elapsed_ms, trace_id(), error, current.attributes
            )


def new_trace_id() -> str:
    """A random W3C trace id: 32 lower-case hex digits, never all zero."""
    return f"{secrets.randbits(128) or 1:032x}"


def trace_id() -> str:
    """The trace id of the request being served, ``""`` outside of one. It is the request id too."""
    return _trace_id.get()


@contextmanager
def trace(trace_id: str) -> Iterator[None]:
    """Serve what is inside under this trace id."""
    token = _trace_id.set(trace_id)
    try:
        yield
    finally:
        _trace_id.reset(token)
