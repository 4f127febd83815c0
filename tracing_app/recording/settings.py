"""What every span of a provider has in common: limits, sampler, sink, clock and ids."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from .data import TraceSink

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.sampling import Sampler

    from .samplers import HeadSampler


@dataclass(frozen=True, slots=True)
class RecordingLimits:
    """How much one span and one trace may hold; what is beyond is dropped and counted.

    Source: OpenTelemetry specification, "Attribute Limits" and "Span Limits" (names and defaults), but
    lengths are bounded by default. ``max_attribute_length`` counts characters of a text and bytes of a
    byte string, also of status descriptions. ``max_trace_*`` are ours: spans and events of one local root.
    """

    max_span_attributes: int = 128
    max_event_attributes: int = 128
    max_link_attributes: int = 128
    max_events: int = 128
    max_links: int = 128
    max_attribute_length: int = 4096
    max_trace_spans: int = 1000
    max_trace_events: int = 2000


def new_trace_id() -> int:
    """128 random bits, never 0. The generator is seeded anew in a forked process by the standard library."""
    return random.getrandbits(128) or 1


new_span_id = partial(random.getrandbits, 64)
"""64 random bits; who takes one for a span id makes a 1 of 0. Called for every span, so it is no function of
ours."""


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """``clock`` gives Unix time in nanoseconds; ``new_trace_id`` is random in its lower 56 bits at least.

    With ``record_stacktraces`` off a recorded exception has its type and message only: formatting a
    traceback costs about 200 us, thirty times the rest of a request's recording.
    """

    sampler: Sampler
    sink: TraceSink
    head: HeadSampler | None
    """The sampler again, where it decides for a whole trace at once."""
    limits: RecordingLimits = field(default_factory=RecordingLimits)
    clock: Callable[[], int] = time.time_ns
    new_trace_id: Callable[[], int] = new_trace_id
    new_span_id: Callable[[], int] = new_span_id
    record_stacktraces: bool = True
