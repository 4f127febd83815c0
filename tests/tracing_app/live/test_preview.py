"""What a change of settings would do, over stored traces."""

from __future__ import annotations

import dataclasses

import pytest

from tests.tracing_app.live.kept_traces import keep_traces
from tracing_app.config import SamplingConfig
from tracing_app.live.overrides import LiveSettings
from tracing_app.live.preview import never_kept, preview
from tracing_app.sampling.rules import RuleText
from tracing_app.sampling.tail import SamplingStats

NOW = LiveSettings(True, SamplingConfig(slow_request_ms=None))


def edited(*rules: RuleText, enabled: bool = True) -> LiveSettings:
    return LiveSettings(enabled, dataclasses.replace(NOW.sampling, rules=rules))


@pytest.mark.django_db(databases=["traces"])
def test_the_same_traces_by_both_settings() -> None:
    keep_traces("a", 30)
    keep_traces("b", 10, rate=3)

    found = preview(NOW, edited(RuleText("none of a", "never", "bucket = a")))

    assert (found.now.looked_at, found.edited.looked_at) == (40, 40)
    assert found.now.total.ratio == 1
    buckets = {row.name: (row.now.kept_traces, row.edited.kept_traces) for row in found.by_bucket()}
    assert buckets == {"a": (30, 0), "b": (pytest.approx(30), pytest.approx(30))}
    reasons = {row.name: (row.now.traces, row.edited.traces) for row in found.by_reason()}
    assert reasons == {"head": (60, pytest.approx(30)), "rule:none of a": (0, 30)}
    assert [row.name for row in found.by_reason()] == ["head", "rule:none of a"]
    assert found.edited.began == 1_700_000_000


@pytest.mark.django_db(databases=["traces"])
def test_off_keeps_nothing() -> None:
    keep_traces("a", 3)

    found = preview(NOW, edited(enabled=False))

    assert found.edited.total.ratio == 0
    assert list(found.edited.by_reason) == ["off"]


@pytest.mark.django_db(databases=["traces"])
def test_only_so_many_are_looked_at() -> None:
    keep_traces("a", 30)

    assert preview(NOW, NOW, newest=20).now.looked_at == 20


def test_what_was_dropped_and_has_no_kept_trace_to_stand_for_it() -> None:
    stats = SamplingStats(
        traces_kept={"head": 10, "rule:tenth": 1},
        traces_dropped={"head": 90, "rule:tenth": 9, "rule:probes": 1000, "capped": 5, "held_full": 2},
    )

    assert never_kept(stats) == {"rule:probes": 1000, "held_full": 2}
