"""The provider of tracers: what ``opentelemetry.trace.set_tracer_provider`` is given."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Tracer, TracerProvider
from opentelemetry.util.types import AnyValue

from .attributes import clean_attributes, warn_dropped
from .data import Scope, TraceSink
from .samplers import HeadSampler
from .settings import RecordingLimits, RecordingSettings, new_span_id, new_trace_id
from .tracer import LightTracer

logger = logging.getLogger(__name__)


class LightTracerProvider(TracerProvider):
    """Records the spans of each trace together and gives them to ``sink`` when their local root ends.

    Nothing runs in the background here and nothing needs a flush or a fork handler.
    """

    def __init__(
        self,
        sampler: Sampler,
        sink: TraceSink,
        *,
        limits: RecordingLimits | None = None,
        clock: Callable[[], int] = time.time_ns,
        new_trace_id: Callable[[], int] = new_trace_id,
        new_span_id: Callable[[], int] = new_span_id,
        record_stacktraces: bool = True,
    ) -> None:
        self._settings = RecordingSettings(
            sampler=sampler,
            sink=sink,
            head=sampler if isinstance(sampler, HeadSampler) else None,
            limits=limits or RecordingLimits(),
            clock=clock,
            new_trace_id=new_trace_id,
            new_span_id=new_span_id,
            record_stacktraces=record_stacktraces,
        )
        self._tracers: dict[Scope, LightTracer] = {}

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, AnyValue] | None = None,
    ) -> Tracer:
        """The tracer of this scope, always the same one."""
        if not instrumenting_module_name:
            logger.error("get_tracer: the name of the instrumentation scope is missing.")
        scope = Scope(
            instrumenting_module_name or "",
            instrumenting_library_version or "",
            schema_url or "",
            self._scope_attributes(attributes),
        )
        tracer = self._tracers.get(scope)
        if tracer is None:
            tracer = self._tracers.setdefault(scope, LightTracer(scope, self._settings))
        return tracer  # type: ignore[return-value]  # registered as one

    def _scope_attributes(
        self, attributes: Mapping[str, AnyValue] | None
    ) -> tuple[tuple[str, AnyValue], ...]:
        limits = self._settings.limits
        cleaned, _ = clean_attributes(attributes, limits.max_span_attributes, limits.max_attribute_length)
        return tuple(item for item in sorted(cleaned.items(), key=_name) if _is_comparable(*item))


def _name(item: tuple[str, AnyValue]) -> str:
    return item[0]


def _is_comparable(key: str, value: AnyValue) -> bool:
    """A scope is a key, here and in what exporters cache: a mapping cannot be part of it."""
    try:
        hash(value)
    except TypeError:
        warn_dropped(key, value)
        return False
    return True
