"""All that is known of one upload: its record, what was decided, where its time went, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from authz.models import PolicyDecision
from mizuchi_site.upload_timing import Timing, timing_of_record, timing_of_trace
from mizuchi_site.upload_traces import kept_traces, waits_of
from uploads.advice import Advice, advice_for
from uploads.models import UploadRecord
from uploads.progress.board import UploadInFlight, progress_of

_DECISIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class UploadDetails:
    """``progress`` is None when the upload is over; ``advice`` when nothing failed, or the code is not ours.

    ``decisions`` are those that were kept of its first request, which are a sample of what was allowed.
    """

    record: UploadRecord
    progress: UploadInFlight | None
    advice: Advice | None
    timing: Timing | None
    decisions: Sequence[PolicyDecision]
    has_trace: bool


def details_of(record: UploadRecord) -> UploadDetails:
    decided = PolicyDecision.objects.filter(request_id=record.request_id).order_by("id")
    decisions = list(decided[:_DECISIONS_SHOWN])
    is_receiving = record.state == UploadRecord.State.RECEIVING
    has_trace = record.request_id in kept_traces([record.request_id])
    return UploadDetails(
        record=record,
        progress=progress_of(record) if is_receiving else None,
        advice=advice_for(record.error_code),
        timing=None if is_receiving else _timing(record, decisions, has_trace=has_trace),
        decisions=decisions,
        has_trace=has_trace,
    )


def _timing(record: UploadRecord, decisions: Sequence[PolicyDecision], *, has_trace: bool) -> Timing | None:
    waits = waits_of(record.request_id) if has_trace else None
    if waits is not None:
        return timing_of_trace(waits)
    return timing_of_record(record, sum(decision.duration_ms for decision in decisions[:1]))
