"""The policy of one bucket: which engines are asked, and what follows from what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from authz.config import PolicyConfig
from authz.decisions import PolicyQuestion

from .combine import Combined, combine
from .guarded import GuardedEngine
from .verdict import Verdict


class BucketPolicy:
    """Engines and how they are combined. Thread-safe."""

    def __init__(self, config: PolicyConfig, engines: Sequence[GuardedEngine]) -> None:
        self.config = config
        self.engines = tuple(engines)

    @property
    def is_enforced(self) -> bool:
        """Whether the outcome is obeyed; in shadow it is only recorded."""
        return self.config.mode != "shadow"

    def decide(self, question: PolicyQuestion) -> Combined:
        """What the engines say together. In shadow each is asked, and they count as ``all_of``."""
        verdicts = self._verdicts(question)
        if self.config.mode == "shadow":
            return combine("all_of", list(verdicts), fails_open=self.config.fails_open)
        return combine(self.config.mode, verdicts, fails_open=self.config.fails_open)

    def _verdicts(self, question: PolicyQuestion) -> Iterator[Verdict]:
        """One by one as they are needed, those that are remembered first."""
        waiting = []
        for engine in self.engines:
            remembered = engine.recall(question, is_enforced=self.is_enforced)
            if remembered is None:
                waiting.append(engine)
            else:
                yield remembered
        for engine in waiting:
            yield engine.ask(question, is_enforced=self.is_enforced)
