"""The live settings as rows of the page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.forms import BoundField

from mizuchi_site.setting_text import rule_text, value_text
from mizuchi_site.tracing_report import Setting
from tracing_app.live.overrides import OverrideFault
from tracing_app.models import TracingRevision

from .tracing_form import RULES, Rule, SettingsForm, as_typed, field_name

_UNITS = {"sampling.slow_request_ms": "ms", "sampling.max_traces_per_second": "traces a second"}


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A live key: its field (None for the rules), what is in force and since whom, and what the file says;
    ``file_typed`` as one would type it."""

    key: str
    path: str
    field: BoundField | None
    unit: str
    value: str
    file_value: str
    file_typed: str
    file_source: str
    changed: TracingRevision | None
    is_edited: bool
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFault:
    """``before``, ``at`` and ``after`` are the condition, cut where it could not be read on."""

    part: str
    problem: str
    before: str = ""
    at: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule of the editor, counted from 1."""

    number: int
    rule: Rule
    faults: tuple[RuleFault, ...] = field(default=())
    is_first: bool = False
    is_last: bool = False

    @property
    def faulty_parts(self) -> set[str]:
        return {fault.part for fault in self.faults}


def live_rows(settings: Iterable[Setting], form: SettingsForm) -> list[LiveRow]:
    """One for each live key, in their order."""
    return [_row(setting, form) for setting in settings if setting.is_live]


def rule_rows(form: SettingsForm) -> list[RuleRow]:
    """The rules as they were typed."""
    last = len(form.rules) - 1
    return [
        RuleRow(index + 1, rule, tuple(_faults(form, index, rule)), index == 0, index == last)
        for index, rule in enumerate(form.rules)
    ]


def _row(setting: Setting, form: SettingsForm) -> LiveRow:
    key = setting.key
    bound = None if key == RULES else form[field_name(key)]
    return LiveRow(
        key=key,
        path=setting.path,
        field=bound,
        unit=_UNITS.get(key, ""),
        value=value_text(key, setting.value),
        file_value=value_text(key, setting.file_value),
        file_typed=_as_typed(setting.file_value),
        file_source=setting.file_source,
        changed=setting.changed,
        is_edited=form.typed(key) != setting.file_value,
        rules=_rule_texts(key, setting.value),
    )


def _as_typed(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None or isinstance(value, list) else str(as_typed(value))


def _rule_texts(key: str, value: Any) -> tuple[str, ...]:
    return tuple(map(rule_text, value)) if key == RULES else ()


def _faults(form: SettingsForm, index: int, rule: Rule) -> Iterable[RuleFault]:
    for (at, part), faults in form.rule_faults.items():
        if at == index:
            yield from (_fault(part, fault, rule) for fault in faults)


def _fault(part: str, fault: OverrideFault, rule: Rule) -> RuleFault:
    if fault.column is None:
        return RuleFault(part, fault.problem)
    text, start = rule.get(part, ""), fault.column - 1
    found = re.compile(r"[^\s\"'!=<>(),]+|.").match(text, start)
    end = found.end() if found else start
    return RuleFault(part, fault.problem, text[:start], text[start:end], text[end:])
