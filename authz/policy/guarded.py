"""An engine as requests use it: remembered answers first, a span, numbers for operators."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from authz.config import PolicyBreakerConfig
from authz.decisions import PolicyQuestion
from authz.metrics import ASKED_SECONDS, DECISIONS
from tracing_app.api import AttributeValue, Stage, stage

from .base import Engine, EngineFailure, EngineName
from .cache import AnswerCache
from .shielded import ShieldedEngine
from .stats import EngineStats, Tally
from .verdict import BREAKER_OPEN, Verdict, answered, failed


class GuardedEngine:
    """A failure to answer is a verdict here. Thread-safe."""

    def __init__(
        self,
        engine: Engine,
        *,
        cache_ttl_seconds: float,
        breaker: PolicyBreakerConfig,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = ShieldedEngine(engine, breaker, clock)
        self._cache = AnswerCache(cache_ttl_seconds, clock)
        self._tally = Tally()
        self._attributes: dict[str, AttributeValue] = {
            "server.address": engine.host,
            "server.port": engine.port,
        }

    @property
    def name(self) -> EngineName:
        return self._engine.name

    @property
    def where(self) -> str:
        """Host and port, for operators."""
        return f"{self._engine.host}:{self._engine.port}"

    @property
    def outage(self) -> str:
        """Why the engine is left alone; "" while it is not."""
        return "" if self._engine.breaker.state == "closed" else self._tally.last_error

    def recall(self, question: PolicyQuestion, *, is_enforced: bool = True) -> Verdict | None:
        """Its verdict if it is remembered, which costs next to nothing. ``is_enforced`` False is told on the
        span: nobody will obey it."""
        began = time.perf_counter()
        try:
            answer = self._cache.get(self._engine.cache_key(question))
        except EngineFailure:
            return None
        if answer is None:
            return None
        with self._stage(is_enforced) as current:
            verdict = answered(self.name, answer, question, time.perf_counter() - began, is_cached=True)
            self._conclude(verdict, current, is_enforced)
        return verdict

    def ask(self, question: PolicyQuestion, *, is_enforced: bool = True) -> Verdict:
        """Its verdict, asked for now, and remembered unless it is a failure."""
        began = time.perf_counter()
        try:
            with self._stage(is_enforced) as current:
                return self._asked(question, current, began, is_enforced)
        except EngineFailure as failure:
            return failed(self.name, failure, time.perf_counter() - began)

    def stats(self, buckets: Sequence[str]) -> EngineStats:
        """``buckets``: those that ask this engine."""
        tally = self._tally
        return EngineStats(
            engine=self.name,
            endpoint=self.where,
            buckets=tuple(buckets),
            breaker=self._engine.breaker.state,
            seconds_in_state=round(self._engine.breaker.seconds_in_state, 1),
            allowed=tally.outcomes["allow"],
            denied=tally.outcomes["deny"],
            failed=tally.outcomes["error"],
            cache_hits=tally.cache_hits,
            cache_entries=len(self._cache),
            last_ms=round(tally.last_seconds * 1e3, 3),
            mean_ms=round(tally.mean_seconds * 1e3, 3),
            last_error=tally.last_error,
            last_error_at=tally.last_error_at,
        )

    def close(self) -> None:
        """Close idle connections."""
        self._engine.close()

    def _stage(self, is_enforced: bool) -> stage:
        attributes = self._attributes if is_enforced else self._attributes | {"mizuchi.authz.shadow": True}
        return stage(f"authz.{self.name}", attributes, kind="client")

    def _asked(self, question: PolicyQuestion, current: Stage, began: float, is_enforced: bool) -> Verdict:
        """Raises EngineFailure, told on the span and counted as any verdict is."""
        try:
            answer = self._engine.ask(question)
        except EngineFailure as failure:
            verdict = failed(self.name, failure, time.perf_counter() - began)
            self._conclude(verdict, current, is_enforced)
            raise
        verdict = answered(self.name, answer, question, time.perf_counter() - began)
        self._conclude(verdict, current, is_enforced)
        self._cache.put(self._engine.cache_key(question), answer)
        return verdict

    def _conclude(self, verdict: Verdict, current: Stage, is_enforced: bool) -> None:
        _tell(current, verdict)
        self._tally.count(verdict)
        _measure(verdict, "enforced" if is_enforced else "shadow")


def _measure(verdict: Verdict, mode: str) -> None:
    """Why an engine failed is known and few; what else it says is not shown. One that the breaker spared was
    not asked."""
    error = verdict.reason if verdict.outcome == "error" else ""
    source = "cache" if verdict.is_cached else "engine"
    DECISIONS.add((verdict.engine, verdict.outcome, source, mode, error))
    if not verdict.is_cached and error != BREAKER_OPEN:
        ASKED_SECONDS.observe((verdict.engine, verdict.outcome), verdict.seconds)


def _tell(current: Stage, verdict: Verdict) -> None:
    current.set("mizuchi.authz.decision", verdict.outcome)
    current.set("mizuchi.authz.reason", verdict.reason)
    current.set("mizuchi.authz.cache_hit", verdict.is_cached)
    current.set("mizuchi.authz.duration_ms", round(verdict.seconds * 1e3, 3))
    if verdict.decision_id:
        current.set("mizuchi.authz.decision_id", verdict.decision_id)
