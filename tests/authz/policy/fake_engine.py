"""A policy engine of a test: says what it is told to, and counts how often it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from authz.decisions import PolicyQuestion
from authz.policy.base import EngineAnswer, EngineFailure, EngineName


@dataclass
class FakeEngine:
    """Implements ``authz.policy.base.Engine``. ``says`` is an answer, or what is raised."""

    says: EngineAnswer | BaseException = field(default_factory=lambda: EngineAnswer(True, ""))
    name: EngineName = "opa"
    host: str = "opa.example"
    port: int = 8181
    asked: int = 0

    def cache_key(self, question: PolicyQuestion) -> bytes:
        return repr((question.identity, question.bucket, question.key, question.size)).encode()

    def ask(self, question: PolicyQuestion) -> EngineAnswer:
        self.asked += 1
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says

    def close(self) -> None:
        """Nothing to close."""


YES, NO = EngineAnswer(True, ""), EngineAnswer(False, "")
DOWN = EngineFailure("connection_refused", "opa.example:8181 refuses connections", is_outage=True)
CONFUSED = EngineFailure("malformed_answer", "not JSON", is_outage=False)
