"""Head sampling: is the sampled flag set, and is anything recorded?

``HeadSampler`` makes a sampler of a choice. Unlike several of the SDK's it keeps the attributes that the
caller gave and the ``tracestate`` that came in.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from .choices import Choice


class HeadSampler(Sampler):
    """Decides for the spans below a local root when it decides for that root.

    So the tracer need not ask it again within a process. With ``tail`` a decision follows when the trace has
    ended: what the head does not sample is recorded all the same (RECORD_ONLY), not dropped.
    """

    def __init__(self, choice: Choice, *, tail: bool) -> None:
        self.replace(choice, tail=tail)

    def replace(self, choice: Choice, *, tail: bool) -> None:
        """Decide so from now on."""
        self._choice = choice
        self.is_followed = tail

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent: SpanContext | None = get_current_span(parent_context).get_span_context()
        if parent is None or not parent.is_valid:
            parent = None
        unsampled = Decision.RECORD_ONLY if self.is_followed else Decision.DROP
        decision = Decision.RECORD_AND_SAMPLE if self.is_sampled(parent, trace_id) else unsampled
        return SamplingResult(decision, attributes, parent.trace_state if parent else None)

    def is_sampled(self, parent: SpanContext | None, trace_id: int) -> bool:
        """The answer alone, for a tracer that knows the parent. ``parent`` is None for a root span. What is
        not sampled is recorded all the same if ``is_followed``, by a decision when the trace has ended."""
        return self._choice.is_sampled(parent, trace_id)

    def get_description(self) -> str:
        return f"HeadSampler{{{self._choice.description},tail:{str(self.is_followed).lower()}}}"
