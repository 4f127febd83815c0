"""An engine behind a circuit breaker: one that is down costs no request its whole timeout."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from authz.config import PolicyBreakerConfig
from authz.decisions import PolicyQuestion
from tracing_app.breaker import Breaker

from .base import Engine, EngineAnswer, EngineFailure, EngineName
from .verdict import BREAKER_OPEN

logger = logging.getLogger(__name__)


class ShieldedEngine:
    """The same interface around an engine; the log has one line for each change of state."""

    def __init__(self, engine: Engine, config: PolicyBreakerConfig, clock: Callable[[], float]) -> None:
        self._engine = engine
        self.name: EngineName = engine.name
        self.host, self.port = engine.host, engine.port
        self.breaker = Breaker(failures=config.failures, reset_seconds=config.reset_seconds, clock=clock)
        self._is_said_down = False
        self._saying = threading.Lock()

    def cache_key(self, question: PolicyQuestion) -> bytes:
        return self._engine.cache_key(question)

    def ask(self, question: PolicyQuestion) -> EngineAnswer:
        """Its answer. Raises EngineFailure, at once while the breaker is open."""
        if not self.breaker.allows():
            where = f"{self.host}:{self.port}"
            raise EngineFailure(BREAKER_OPEN, f"{where} is left alone after failures", is_outage=True)
        try:
            answer = self._engine.ask(question)
        except EngineFailure as failure:
            self._ended(failure)
            raise
        except BaseException:
            # Never told of the end of its one try, a breaker would stay half-open.
            self.breaker.record_failure()
            raise
        self._ended(None)
        return answer

    def close(self) -> None:
        self._engine.close()

    def _ended(self, failure: EngineFailure | None) -> None:
        if failure is not None and failure.is_outage:
            self.breaker.record_failure()
        else:
            self.breaker.record_success()
        is_down = self.breaker.state != "closed"
        with self._saying:
            if is_down == self._is_said_down:
                return
            self._is_said_down = is_down
        if is_down:
            logger.error("%s is left alone: %s", self.name, failure)
        else:
            logger.warning("%s answers again", self.name)
