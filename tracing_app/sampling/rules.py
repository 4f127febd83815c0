"""Rules about finished traces: in order, the first that matches decides."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracing_app.recording.data import SpanData

from .expression import Condition, RuleError, parse_condition
from .keeping import Clock, Keeping, parse_keeping

MAX_RULES = 200
RULE_NAME = r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}"


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as it is written; ``when`` empty matches every trace."""

    name: str
    keep: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it is used."""

    name: str
    matches: Condition
    keeping: Keeping


@dataclass(frozen=True, slots=True)
class RuleFault:
    """Which rule (from 0), which part of it, what is wrong, and where in ``when`` (from 1, else None)."""

    index: int
    part: str
    problem: str
    column: int | None = None


class RulesInvalid(ValueError):
    """All that is wrong with a list of rules."""

    def __init__(self, faults: Sequence[RuleFault]) -> None:
        super().__init__("; ".join(f"rules[{fault.index}].{fault.part}: {fault.problem}" for fault in faults))
        self.faults = tuple(faults)


def parse_rules(texts: Iterable[RuleText], clock: Clock = time.monotonic) -> tuple[Rule, ...]:
    """Raises RulesInvalid."""
    rules: list[Rule] = []
    faults: list[RuleFault] = []
    names: set[str] = set()
    for index, text in enumerate(texts):
        if text.name in names:
            faults.append(RuleFault(index, "name", f"{text.name!r} is the name of an earlier rule"))
        names.add(text.name)
        matches: Condition = _always
        keeping: Keeping | None = None
        try:
            if text.when.strip():
                matches = parse_condition(text.when)
        except RuleError as error:
            faults.append(RuleFault(index, "when", str(error), error.column))
        try:
            keeping = parse_keeping(text.keep, clock)
        except ValueError as error:
            faults.append(RuleFault(index, "keep", str(error)))
        if keeping is not None:
            rules.append(Rule(text.name, matches, keeping))
    if len(names) > MAX_RULES:
        faults.append(RuleFault(MAX_RULES, "name", f"more than {MAX_RULES} rules"))
    if faults:
        raise RulesInvalid(faults)
    return tuple(rules)


def _always(spans: Sequence[SpanData]) -> bool:
    return True
