"""Lists of rules: all faults at once, each with its place."""

from __future__ import annotations

import pytest

from tests.tracing_app.sampling.traces import trace
from tracing_app.sampling.rules import RuleFault, RulesInvalid, RuleText, parse_rules


def test_rules_in_order() -> None:
    rules = parse_rules([RuleText("puts", "always", "operation = PutObject"), RuleText("rest", "never")])

    put, head = trace({"rpc.method": "S3/PutObject"}), trace({"rpc.method": "S3/HeadBucket"})
    assert [rule.matches(put.spans) for rule in rules] == [True, True]
    assert [rule.matches(head.spans) for rule in rules] == [False, True]


def test_every_fault_is_told() -> None:
    with pytest.raises(RulesInvalid, match=r"rules\[1\]\.when: column 10: ") as caught:
        parse_rules(
            [
                RuleText("a", "always"),
                RuleText("b", "0.1", "status = many"),
                RuleText("c", "often", "bucket = x"),
                RuleText("a", "never"),
            ]
        )

    assert [(fault.index, fault.part, fault.column) for fault in caught.value.faults] == [
        (1, "when", 10),
        (2, "keep", None),
        (3, "name", None),
    ]
    assert isinstance(caught.value.faults[0], RuleFault)


def test_there_is_an_end_to_rules() -> None:
    with pytest.raises(RulesInvalid, match="more than 200"):
        parse_rules(RuleText(str(number), "never") for number in range(201))
