"""A change of the live settings tried on the traces kept here, beside what all workers dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import DatabaseError

from mizuchi_site.workers.roll import roll_call
from tracing_app.apps import tracing_config
from tracing_app.live.overrides import LiveSettings
from tracing_app.live.preview import NEWEST, Preview, never_kept, preview
from tracing_app.sampling.tail import SamplingStats


class NothingToJudge(Exception):
    """No traces are kept on this machine; says why."""


@dataclass(frozen=True, slots=True)
class SamplingPreview:
    """``unseen``: dropped traces for which no kept one stands, by what dropped them, of ``workers`` workers
    since their start. The estimate cannot know of them."""

    preview: Preview
    unseen: Mapping[str, int]
    workers: int


def sampling_preview(now: LiveSettings, edited: LiveSettings, *, newest: int = NEWEST) -> SamplingPreview:
    """Raises NothingToJudge."""
    if tracing_config().store is None:
        raise NothingToJudge("No traces are kept on this machine: tracing.local_store is off.")
    try:
        found = preview(now, edited, newest=newest)
    except DatabaseError:
        raise NothingToJudge("The store of traces cannot be read.") from None
    if not found.now.looked_at:
        raise NothingToJudge("No traces are kept on this machine yet.")
    kept: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    reports = [worker.tracing["sampling"] for worker in roll_call() if "sampling" in worker.tracing]
    for report in reports:
        kept.update(report["traces_kept"])
        dropped.update(report["traces_dropped"])
    stats = SamplingStats(traces_kept=kept, traces_dropped=dropped)
    return SamplingPreview(found, never_kept(stats), len(reports))
