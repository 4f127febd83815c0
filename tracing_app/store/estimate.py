"""A dry run over the newest traces of the store."""

from __future__ import annotations

from functools import partial

from tracing_app.config import SamplingConfig
from tracing_app.sampling.dry_run import DryRun, dry_run
from tracing_app.sampling.policy import head_choice, tail_policy

from .models import StoredTrace
from .replay import past_traces


def estimate(sampling: SamplingConfig, *, newest: int = 5000) -> DryRun:
    """What these settings would have kept of the newest requests in the store. Raises RulesInvalid."""
    rows = StoredTrace.objects.filter(is_late=False)[:newest]
    return dry_run(past_traces(rows), partial(tail_policy, sampling), head_choice(sampling))
