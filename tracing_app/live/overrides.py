"""Settings of tracing that can be changed while the gateway runs, and what they may be."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from tracing_app.config import SamplingConfig, Strategy
from tracing_app.sampling.rules import RULE_NAME, RuleFault, RulesInvalid, RuleText, parse_rules

_PARTS = ("name", "when", "keep")


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """What is in force. While not ``enabled`` no request is recorded."""

    enabled: bool
    sampling: SamplingConfig


@dataclass(frozen=True, slots=True)
class OverrideFault:
    """What is wrong with the value of a key; ``path`` leads to it, like ``sampling.rules[2].when``, and
    ``column`` (from 1) to the place in a condition where it could not be read on."""

    path: str
    problem: str
    column: int | None = None


class OverridesInvalid(ValueError):
    """All that is wrong with a set of overrides."""

    def __init__(self, faults: Sequence[OverrideFault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.problem}" for fault in faults))
        self.faults = tuple(faults)


def apply_overrides(base: SamplingConfig, overrides: Mapping[str, Any]) -> LiveSettings:
    """The settings of the file with the overrides on top. Raises OverridesInvalid."""
    faults: list[OverrideFault] = []
    values: dict[str, Any] = {}
    for key, value in overrides.items():
        read = _READERS.get(key)
        if read is None:
            faults.append(OverrideFault(key, f"is no live setting; there are {', '.join(LIVE_KEYS)}"))
            continue
        try:
            values[key] = read(value)
        except RulesInvalid as error:
            faults += _rule_faults(error)
        except ValueError as error:
            faults.append(OverrideFault(key, str(error)))
    if faults:
        raise OverridesInvalid(faults)
    enabled = values.pop("enabled", True)
    sampling = {key.removeprefix("sampling."): value for key, value in values.items()}
    return LiveSettings(enabled, dataclasses.replace(base, **sampling))


def as_overrides(live: LiveSettings) -> dict[str, Any]:
    """Every live key with its value, as JSON has it."""
    sampling = live.sampling
    return {
        "enabled": live.enabled,
        "sampling.strategy": sampling.strategy,
        "sampling.ratio": sampling.ratio,
        "sampling.errors": sampling.errors,
        "sampling.slow_request_ms": sampling.slow_request_ms,
        "sampling.max_traces_per_second": sampling.max_traces_per_second,
        "sampling.rules": [dataclasses.asdict(rule) for rule in sampling.rules],
    }


def _rule_faults(error: RulesInvalid) -> Iterable[OverrideFault]:
    for fault in error.faults:
        part = f".{fault.part}" if fault.part else ""
        yield OverrideFault(f"sampling.rules[{fault.index}]{part}", fault.problem, fault.column)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _strategy(value: Any) -> str:
    if value not in get_args(Strategy):
        raise ValueError(f"must be one of {', '.join(get_args(Strategy))}")
    return str(value)


def _number(minimum: float, maximum: float, *, may_be_none: bool) -> Callable[[Any], float | None]:
    def read(value: Any) -> float | None:
        if value is None and may_be_none:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not minimum <= value <= maximum:
            raise ValueError(f"must be a number from {minimum:g} to {maximum:g}" + " or null" * may_be_none)
        return float(value)

    return read


def _rules(value: Any) -> tuple[RuleText, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of rules")
    faults = [fault for index, item in enumerate(value) for fault in _form_faults(index, item)]
    rules = tuple(_rule(index, item) for index, item in enumerate(value))
    try:
        parse_rules(rules)
    except RulesInvalid as error:
        known = {(fault.index, part) for fault in faults for part in ([fault.part] if fault.part else _PARTS)}
        faults += [fault for fault in error.faults if (fault.index, fault.part) not in known]
    if faults:
        raise RulesInvalid(sorted(faults, key=lambda fault: fault.index))
    return rules


def _form_faults(index: int, item: Any) -> Iterable[RuleFault]:
    if not isinstance(item, dict):
        yield RuleFault(index, "", "must be a mapping with name and keep, and may have when")
        return
    for part in item.keys() - set(_PARTS):
        yield RuleFault(index, str(part), f"is no part of a rule; there are {', '.join(_PARTS)}")
    name = item.get("name")
    if not isinstance(name, str) or not re.fullmatch(RULE_NAME, name):
        yield RuleFault(index, "name", "must be 1 to 64 letters, digits and spaces")
    if not isinstance(item.get("when", ""), str) or not _can_be_stored(item.get("when", "")):
        yield RuleFault(index, "when", "must be text")
    if "keep" not in item:
        yield RuleFault(index, "keep", "is required: how many of the matching traces are kept")
    elif not isinstance(item["keep"], (str, int, float)) or not _can_be_stored(str(item["keep"])):
        yield RuleFault(index, "keep", "must be text or a number")


def _can_be_stored(text: str) -> bool:
    """Databases take no NUL, and UTF-8 has no surrogates."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _rule(index: int, item: Any) -> RuleText:
    """The rule as far as it can be read; what cannot is a fault of its own."""
    parts = item if isinstance(item, dict) else {}
    name, when = parts.get("name"), parts.get("when", "")
    return RuleText(
        name if isinstance(name, str) and name else f"rule {index}",
        str(parts.get("keep", "")),
        when if isinstance(when, str) else "",
    )


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "enabled": _flag,
    "sampling.strategy": _strategy,
    "sampling.ratio": _number(0, 1, may_be_none=False),
    "sampling.errors": _flag,
    "sampling.slow_request_ms": _number(0, 86_400_000, may_be_none=True),
    "sampling.max_traces_per_second": _number(0.001, 1_000_000, may_be_none=True),
    "sampling.rules": _rules,
}
LIVE_KEYS = tuple(_READERS)
