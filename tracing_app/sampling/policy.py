"""What ``tracing.sampling`` asks for: the choice at the begin of a trace and the policy at its end."""

from __future__ import annotations

import time

from tracing_app.config import SamplingConfig
from tracing_app.recording.choices import Always, Choice, Never, ParentBased, Ratio, RatioCap

from .keeping import Clock, PerSecond
from .rules import parse_rules
from .tail import TailPolicy


def head_choice(sampling: SamplingConfig) -> Choice:
    """Which traces are sampled when they begin."""
    match sampling.strategy:
        case "always":
            return Always()
        case "never":
            return Never()
        case "ratio":
            return Ratio(sampling.ratio)
        case "parent_based":
            return ParentBased(Ratio(sampling.ratio), RatioCap(sampling.ratio))


def tail_policy(sampling: SamplingConfig, clock: Clock = time.monotonic) -> TailPolicy:
    """Which traces are kept when they have ended. Raises RulesInvalid."""
    per_second = sampling.max_traces_per_second
    by_ratio = sampling.strategy in ("ratio", "parent_based") and sampling.ratio > 0
    return TailPolicy(
        errors=sampling.errors,
        slow_ns=None if sampling.slow_request_ms is None else int(sampling.slow_request_ms * 1e6),
        rules=parse_rules(sampling.rules, clock),
        head_rate=1 / sampling.ratio if by_ratio else 1.0,
        cap=None if per_second is None else PerSecond(per_second, clock),
    )
