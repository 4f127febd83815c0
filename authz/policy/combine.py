"""From the verdicts of several engines to one outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .verdict import Outcome, Verdict

Mode = Literal["all_of", "any_of"]


@dataclass(frozen=True, slots=True)
class Combined:
    """``outcome`` for ``reason``, decided by ``engine`` ("" when none was asked to the end). ``verdicts``
    are those it took, in the order they were given; ``fell_open``: allowed without an answer."""

    outcome: Outcome
    reason: str
    engine: str
    verdicts: tuple[Verdict, ...]
    fell_open: bool = False


def combine(mode: Mode, verdicts: Iterable[Verdict], *, fails_open: bool) -> Combined:
    """Takes no more verdicts than it needs: the first deny decides ``all_of``, the first allow ``any_of``.

    An error is never a yes: it decides ``all_of``, and ``any_of`` when nobody allows. With ``fails_open`` an
    error counts as if that engine were not configured; without any engine left, everything is allowed.
    """
    decisive: Outcome = "deny" if mode == "all_of" else "allow"
    taken: list[Verdict] = []
    for verdict in verdicts:
        taken.append(verdict)
        is_error = verdict.outcome == "error" and not fails_open
        if verdict.outcome == decisive or (is_error and mode == "all_of"):
            return _decided_by(verdict, taken)
    return _undecided(taken, fails_open=fails_open)


def _undecided(taken: list[Verdict], *, fails_open: bool) -> Combined:
    """Nobody decided alone: they all allow, they all deny, or did not answer."""
    errors = [verdict for verdict in taken if verdict.outcome == "error"]
    answers = [verdict for verdict in taken if verdict.outcome != "error"]
    if errors and not fails_open:
        return _decided_by(errors[0], taken)
    if not answers:
        return Combined("allow", "fails open", "", tuple(taken), fell_open=True)
    return _decided_by(answers[0], taken)


def _decided_by(verdict: Verdict, taken: list[Verdict]) -> Combined:
    return Combined(verdict.outcome, verdict.reason, verdict.engine, tuple(taken))
