"""What a policy engine is: something that is asked one question over the network, and answers or fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from authz.decisions import PolicyQuestion

EngineName = Literal["opa", "openfga"]


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """Allowed or not. ``reason`` is in the words of the policy's author, who may name persons in it;
    ``decision_id`` finds the decision in the engine's own log."""

    is_allowed: bool
    reason: str
    decision_id: str = ""


class EngineFailure(Exception):
    """No answer that could be trusted. Whoever asked must not take it for a yes.

    ``code`` is the kind of failure, low in cardinality (``timeout``, ``http_503``); ``detail`` is for
    operators and holds no secret. ``is_outage``: the engine cannot serve anybody, as far as one can tell. A
    caller must not be able to bring that about by what it asks, or it could shut out others.
    """

    def __init__(self, code: str, detail: str = "", *, is_outage: bool) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail
        self.is_outage = is_outage


class Engine(Protocol):
    """A policy engine. Thread-safe."""

    @property
    def name(self) -> EngineName: ...

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    def cache_key(self, question: PolicyQuestion) -> bytes:
        """All that the engine sees of the question except the request id: what it may be remembered by."""
        ...

    def ask(self, question: PolicyQuestion) -> EngineAnswer:
        """Its answer within its timeout. Raises EngineFailure."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...
