"""A dry run over the newest traces of the store."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from tracing_app.config import SamplingConfig
from tracing_app.sampling.dry_run import DryRun, PastTrace, dry_run
from tracing_app.sampling.policy import head_choice, tail_policy

from .models import StoredTrace
from .replay import past_traces

NEWEST = 5000
_ROWS_AT_ONCE = 500


def newest_traces(number: int = NEWEST) -> list[PastTrace]:
    """So many of the newest requests in the store, to be judged again."""
    rows = StoredTrace.objects.filter(is_late=False)[:number]
    return list(past_traces(rows.iterator(_ROWS_AT_ONCE)))


def estimate(sampling: SamplingConfig, *, newest: int = NEWEST) -> DryRun:
    """What these settings would have kept of the newest requests in the store. Raises RulesInvalid."""
    return judged(sampling, newest_traces(newest))


def judged(sampling: SamplingConfig, past: Iterable[PastTrace]) -> DryRun:
    """What these settings would have kept of these. Raises RulesInvalid."""
    return dry_run(past, partial(tail_policy, sampling), head_choice(sampling))
