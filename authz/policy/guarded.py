"""An engine as requests use it: remembered answers first, a span, numbers for operators."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from authz.config import PolicyBreakerConfig
from authz.decisions import PolicyQuestion
from tracing_app.api import AttributeValue, Stage, stage

from .base import Engine, EngineAnswer, EngineFailure, EngineName
from .cache import AnswerCache
from .shielded import ShieldedEngine
from .stats import EngineStats, Tally
from .verdict import Verdict, answered, failed


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

    def remembers(self, question: PolicyQuestion) -> bool:
        """Whether an answer costs nothing."""
        try:
            return self._cache.get(self._engine.cache_key(question)) is not None
        except EngineFailure:
            return False

    def ask(self, question: PolicyQuestion, *, is_enforced: bool = True) -> Verdict:
        """Its verdict. ``is_enforced`` False is told on the span: nobody will obey it."""
        began = time.perf_counter()
        try:
            with stage(f"authz.{self.name}", self._attributes, kind="client") as current:
                if not is_enforced:
                    current.set("mizuchi.authz.shadow", True)
                verdict = self._verdict(question, current, began)
        except EngineFailure as failure:
            verdict = replace(failed(self.name, failure), seconds=time.perf_counter() - began)
        self._tally.count(verdict)
        return verdict

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

    def _verdict(self, question: PolicyQuestion, current: Stage, began: float) -> Verdict:
        """The verdict, told on the span. Raises EngineFailure, told on the span too."""
        try:
            answer, is_cached = self._remembered_or_asked(question)
        except EngineFailure as failure:
            _tell(current, replace(failed(self.name, failure), seconds=time.perf_counter() - began))
            raise
        seconds = time.perf_counter() - began
        verdict = replace(answered(self.name, answer, question), is_cached=is_cached, seconds=seconds)
        _tell(current, verdict)
        return verdict

    def _remembered_or_asked(self, question: PolicyQuestion) -> tuple[EngineAnswer, bool]:
        key = self._engine.cache_key(question)
        remembered = self._cache.get(key)
        if remembered is not None:
            return remembered, True
        answer = self._engine.ask(question)
        self._cache.put(key, answer)
        return answer, False


def _tell(current: Stage, verdict: Verdict) -> None:
    current.set("mizuchi.authz.decision", verdict.outcome)
    current.set("mizuchi.authz.reason", verdict.reason)
    current.set("mizuchi.authz.cache_hit", verdict.is_cached)
    current.set("mizuchi.authz.duration_ms", round(verdict.seconds * 1e3, 3))
    if verdict.decision_id:
        current.set("mizuchi.authz.decision_id", verdict.decision_id)
