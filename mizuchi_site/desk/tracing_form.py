"""The form of the live tracing settings: what was typed, what is wrong with it, the overrides it makes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final, get_args

from django import forms
from django.http import QueryDict

from mizuchi_site.setting_text import number_text
from tracing_app.apps import tracing_config
from tracing_app.config import Strategy
from tracing_app.live.effective import Effective
from tracing_app.live.overrides import LiveSettings, OverrideFault, OverridesInvalid, apply_overrides

Rule = dict[str, str]

RULE_PARTS: Final = ("name", "when", "keep")
RULES: Final = "sampling.rules"
_AT_RULE = re.compile(r"sampling\.rules\[(?P<index>[0-9]+)\](?:\.(?P<part>\w+))?")

_STRATEGIES: Final = {
    "parent_based": "parent_based: by the client within the ratio, else by the ratio",
    "ratio": "ratio: by the ratio, whatever the client says",
    "always": "always: every trace",
    "never": "never: none",
}


class SettingsForm(forms.Form):
    """A field for each live key but the rules, which are beside them in ``rules``.

    A value that is as in the file is no override. When it is valid, ``overrides`` and ``settings`` are what
    it asks for.
    """

    use_required_attribute = False

    enabled = forms.BooleanField(
        label="Record requests",
        required=False,
        help_text="While off, no request is recorded: not even errors.",
    )
    sampling_strategy = forms.ChoiceField(
        label="Strategy",
        choices=[(name, _STRATEGIES[name]) for name in get_args(Strategy)],
        help_text="What the head chooses when traces begin. Errors, slow ones and rules keep others, too.",
    )
    sampling_ratio = forms.FloatField(
        label="Ratio",
        required=False,
        widget=forms.NumberInput({"min": 0, "max": 1, "step": "any"}),
        help_text="From 0 to 1: the share of traces; 0.01 is one of a hundred.",
    )
    sampling_errors = forms.BooleanField(
        label="Keep every error of ours",
        required=False,
        help_text="Traces with a span whose status is ERROR (5xx), whatever the head chose.",
    )
    sampling_slow_request_ms = forms.FloatField(
        label="Slow request",
        required=False,
        widget=forms.NumberInput({"min": 0, "step": "any"}),
        help_text="Requests at least so slow are kept. Empty: no request is slow.",
    )
    sampling_max_traces_per_second = forms.FloatField(
        label="At most",
        required=False,
        widget=forms.NumberInput({"min": 0, "step": "any"}),
        help_text="Of each worker, errors excepted. Empty: no bound.",
    )
    note = forms.CharField(
        label="Note for the history",
        required=False,
        max_length=255,
        widget=forms.TextInput({"placeholder": "why"}),
    )
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, now: Effective, **options: Any) -> None:
        super().__init__(data, **options)
        self.now = now
        self.rules: list[Rule] = self.initial.pop("rules", []) if data is None else _written(data)
        self.rule_faults: dict[tuple[int, str], list[OverrideFault]] = defaultdict(list)
        self.overrides: dict[str, Any] = {}
        self.settings: LiveSettings = now.settings

    @classmethod
    def of(cls, now: Effective, overrides: Mapping[str, Any], **more: Any) -> SettingsForm:
        """With the file's values and these overrides in its fields, made from what is in force now."""
        values = now.in_file | dict(overrides)
        initial: dict[str, Any] = {
            field_name(key): as_typed(value) for key, value in values.items() if key != RULES
        }
        initial |= {"revision": now.number, "rules": [_typed(rule) for rule in values[RULES]]}
        return cls(None, now, initial=initial | more)

    @classmethod
    def retyped(cls, data: QueryDict, now: Effective, action: str = "") -> SettingsForm:
        """With what was typed, unchecked, after an action of the editor: ``add-rule``, ``up-N``, ``down-N``
        and ``remove-N`` (rules are counted from 1), ``reset-KEY``."""
        verb, _, about = action.partition("-")
        initial: dict[str, Any] = {
            name: name in data if isinstance(field, forms.BooleanField) else data.get(name, "")
            for name, field in cls.base_fields.items()
        }
        initial["rules"] = edited(typed_rules(data), verb, about)
        form = cls(None, now, initial=initial)
        if verb == "reset":
            form.reset(about)
        return form

    def reset(self, key: str) -> None:
        """Put the file's value of a live key into its field."""
        if key == RULES:
            self.rules = [_typed(rule) for rule in self.now.in_file[key]]
        elif key in self.now.in_file:
            self.initial[field_name(key)] = as_typed(self.now.in_file[key])

    def typed(self, key: str) -> Any:
        """What is in the field of a live key, as far as it can be read."""
        name = field_name(key)
        if key == RULES:
            return self.rules
        if self.is_bound:
            return self.cleaned_data.get(name, self.data.get(name))
        try:
            return self.fields[name].to_python(self.initial.get(name))
        except forms.ValidationError:
            return self.initial.get(name)

    def clean(self) -> dict[str, Any]:
        """What ``apply_overrides`` finds wrong is told where it is."""
        given = {
            live_key(name): value
            for name, value in self.cleaned_data.items()
            if name not in ("note", "revision")
        }
        given[RULES] = self.rules
        self.overrides = {key: value for key, value in given.items() if value != self.now.in_file[key]}
        try:
            self.settings = apply_overrides(tracing_config().sampling, self.overrides)
        except OverridesInvalid as error:
            for fault in error.faults:
                self._place(fault)
        return self.cleaned_data

    def _place(self, fault: OverrideFault) -> None:
        at = _AT_RULE.fullmatch(fault.path)
        if at is None:
            self.add_error(field_name(fault.path) if fault.path != RULES else None, fault.problem)
        else:
            self.rule_faults[int(at["index"]), at["part"] or "name"].append(fault)
            self.add_error(None, f"Rule {int(at['index']) + 1}, {at['part'] or 'name'}: {fault.problem}")


def as_typed(value: Any) -> Any:
    """Of a field: numbers as people write them, empty for none."""
    if isinstance(value, bool):
        return value
    return number_text(value) if isinstance(value, (int, float)) else value


def field_name(key: str) -> str:
    """``sampling.ratio`` is the field ``sampling_ratio``."""
    return key.replace(".", "_", 1)


def live_key(name: str) -> str:
    """The other way."""
    return name.replace("sampling_", "sampling.", 1)


def typed_rules(data: QueryDict) -> list[Rule]:
    """The rules in the order of the form."""
    columns = (data.getlist(f"rule_{part}") for part in RULE_PARTS)
    return [dict(zip(RULE_PARTS, map(str.strip, row), strict=True)) for row in zip(*columns, strict=False)]


def edited(rules: list[Rule], verb: str, about: str) -> list[Rule]:
    """After a button of the editor was pressed; any other changes nothing."""
    if verb == "add":
        return [*rules, dict.fromkeys(RULE_PARTS, "")]
    if not about.isdecimal() or not 0 < int(about) <= len(rules):
        return rules
    index = int(about) - 1
    if verb == "remove":
        return rules[:index] + rules[index + 1 :]
    other = index + {"up": -1, "down": 1}.get(verb, 0)
    if 0 <= other < len(rules):
        rules = [*rules]
        rules[index], rules[other] = rules[other], rules[index]
    return rules


def _written(data: QueryDict) -> list[Rule]:
    """Without those in which nothing is."""
    return [rule for rule in typed_rules(data) if any(rule.values())]


def _typed(rule: Mapping[str, Any]) -> Rule:
    return {part: str(rule.get(part, "")) for part in RULE_PARTS}
