"""Settings that change while the gateway runs: what they may be, their history, how workers learn of them."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import DatabaseError

from tests.tracing_app.sampling.traces import Sink
from tracing_app.config import SamplingConfig
from tracing_app.live.control import SamplingControl
from tracing_app.live.exchange import Exchange
from tracing_app.live.overrides import LIVE_KEYS, OverridesInvalid, apply_overrides, as_overrides
from tracing_app.live.revisions import save_overrides, undo
from tracing_app.models import KeptUpload, TracingRevision
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.sampling.policy import head_choice, tail_policy
from tracing_app.sampling.rules import RuleText
from tracing_app.sampling.tail import REASON, TailSampler

BASE = SamplingConfig(ratio=0.5, slow_request_ms=100.0)
RULES = [{"name": "all", "when": "bucket = a", "keep": "always"}]


def test_overrides_on_top_of_the_file() -> None:
    live = apply_overrides(BASE, {"enabled": False, "sampling.ratio": 0.25, "sampling.rules": RULES})

    assert not live.enabled
    assert live.sampling == SamplingConfig(
        ratio=0.25, slow_request_ms=100.0, rules=(RuleText("all", "always", "bucket = a"),)
    )
    assert apply_overrides(BASE, {}).sampling == BASE


def test_every_live_key_can_be_set_to_what_it_is() -> None:
    live = apply_overrides(BASE, {"sampling.rules": RULES})

    written = as_overrides(live)

    assert tuple(written) == LIVE_KEYS
    assert apply_overrides(SamplingConfig(), written) == live


@pytest.mark.parametrize(
    ("overrides", "path", "problem"),
    [
        ({"otlp.endpoint": "x"}, "otlp.endpoint", "is no live setting"),
        ({"enabled": "yes"}, "enabled", "true or false"),
        ({"enabled": 1}, "enabled", "true or false"),
        ({"sampling.strategy": "often"}, "sampling.strategy", "must be one of always"),
        ({"sampling.ratio": 1.5}, "sampling.ratio", "from 0 to 1"),
        ({"sampling.ratio": None}, "sampling.ratio", "from 0 to 1"),
        ({"sampling.ratio": True}, "sampling.ratio", "from 0 to 1"),
        ({"sampling.ratio": float("nan")}, "sampling.ratio", "from 0 to 1"),
        ({"sampling.ratio": "0.5"}, "sampling.ratio", "from 0 to 1"),
        ({"sampling.slow_request_ms": -1}, "sampling.slow_request_ms", "or null"),
        ({"sampling.max_traces_per_second": 0}, "sampling.max_traces_per_second", "or null"),
        ({"sampling.rules": "all"}, "sampling.rules", "list of rules"),
        ({"sampling.rules": ["all"]}, "sampling.rules[0]", "mapping with name and keep"),
        ({"sampling.rules": [{"name": "a"}]}, "sampling.rules[0].keep", "is required"),
        ({"sampling.rules": [{"name": "a", "keep": []}]}, "sampling.rules[0].keep", "text or a number"),
        (
            {"sampling.rules": [{"name": "a", "keep": "1/s per root.\0"}]},
            "sampling.rules[0].keep",
            "text or a number",
        ),
        (
            {"sampling.rules": [{"name": "a", "keep": 1, "when": "bucket = '\ud800'"}]},
            "sampling.rules[0].when",
            "must be text",
        ),
        ({"sampling.rules": [{"name": "", "keep": 1}]}, "sampling.rules[0].name", "must be 1 to 64 letters"),
        ({"sampling.rules": [{"name": "a\n", "keep": 1}]}, "sampling.rules[0].name", "must be 1 to 64"),
        ({"sampling.rules": [{"name": 1, "keep": 1}]}, "sampling.rules[0].name", "must be 1 to 64 letters"),
        ({"sampling.rules": [{"name": "a", "keep": 1, "when": 2}]}, "sampling.rules[0].when", "must be text"),
        (
            {"sampling.rules": [{"name": "a", "keep": 1, "if": 2}]},
            "sampling.rules[0].if",
            "no part of a rule",
        ),
        ({"sampling.rules": [{"name": "a", "keep": "x"}]}, "sampling.rules[0].keep", "must be always"),
        (
            {"sampling.rules": [*RULES, {"name": "b", "keep": 1, "when": "bucket ="}]},
            "sampling.rules[1].when",
            "column 9",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_right(overrides: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(OverridesInvalid) as caught:
        apply_overrides(BASE, overrides)

    (fault,) = caught.value.faults
    assert fault.path == path
    assert problem in fault.problem


def test_all_that_is_wrong_is_told_at_once_with_its_place() -> None:
    rules = [{"name": "?", "keep": "often", "when": "bucket ="}, {"name": "b", "keep": 1, "when": "size > 1"}]

    with pytest.raises(OverridesInvalid) as caught:
        apply_overrides(BASE, {"sampling.ratio": 2, "sampling.rules": rules})

    assert [(fault.path, fault.column) for fault in caught.value.faults] == [
        ("sampling.ratio", None),
        ("sampling.rules[0].name", None),
        ("sampling.rules[0].when", 9),
        ("sampling.rules[0].keep", None),
        ("sampling.rules[1].when", 1),
    ]


class Worker:
    """What one process samples with."""

    def __init__(self) -> None:
        self.sink = Sink()
        self.told: deque[int] = deque()
        self.kept: list[int] = []
        self.forgotten: list[float] = []
        self.tail = TailSampler(tail_policy(BASE), self.sink)
        self.head = HeadSampler(head_choice(BASE), tail=True)
        self.control = SamplingControl(BASE, self.head, self.tail)
        self.tracer = LightTracerProvider(self.head, self.tail).get_tracer("tests")
        self.exchange = Exchange(
            to_tell=self.told,
            apply=self.apply,
            keep=self.kept.append,
            forget_before=self.forgotten.append,
        )
        self.applied: list[Mapping[str, Any]] = []

    def apply(self, revision: int, overrides: Mapping[str, Any]) -> None:
        self.applied.append(overrides)
        self.control.apply(revision, overrides)

    def reasons(self, requests: int = 100) -> set[object]:
        self.sink.traces.clear()
        for _ in range(requests):
            self.tracer.start_span("request", attributes={"aws.s3.bucket": "a"}).end()
        return {each.spans[-1].attributes[REASON] for each in self.sink.traces}


@pytest.mark.django_db
def test_workers_learn_of_settings_once() -> None:
    worker = Worker()
    assert worker.reasons() == {"head"}

    save_overrides({"sampling.rules": RULES}, by="ada")
    for _ in range(3):
        worker.exchange.run_once()

    assert worker.applied == [{"sampling.rules": RULES}]
    assert worker.control.revision == 1
    assert worker.reasons() == {"rule"}
    assert len(worker.sink.traces) == 100

    save_overrides({"enabled": False}, by="ada")
    worker.exchange.run_once()
    assert worker.reasons() == set()

    undo(by="ada")
    worker.exchange.run_once()
    assert worker.reasons() == {"rule"}


@pytest.mark.django_db
def test_a_bad_revision_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker()
    TracingRevision.objects.create(overrides={"sampling.ratio": "a lot"}, changed_by="a later version")

    with caplog.at_level(logging.ERROR):
        worker.exchange.run_once()

    assert worker.reasons() == {"head"}
    assert worker.control.revision == 0
    assert "those in force stay" in caplog.text


@pytest.mark.django_db
def test_uploads_to_be_kept_are_told_to_all() -> None:
    here, there = Worker(), Worker()
    here.told.extend([7, 7, 8])

    here.exchange.run_once()
    there.exchange.run_once()
    there.exchange.run_once()

    assert not here.told
    assert set(there.kept) == {7, 8}
    assert KeptUpload.objects.count() == 2
    assert there.forgotten[-1] < time.monotonic() - 5


@pytest.mark.django_db
def test_a_database_that_is_away_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker()
    worker.told.append(9)

    def fails(*args: object, **kwargs: object) -> None:
        raise DatabaseError("gone")

    with caplog.at_level(logging.INFO), monkeypatch.context() as broken:
        broken.setattr("django.db.models.query.QuerySet.bulk_create", fails)
        for _ in range(3):
            worker.exchange.run_once()
    with caplog.at_level(logging.INFO):
        worker.exchange.run_once()

    assert [record.message for record in caplog.records if record.name == "mizuchi.tracing.live"] == [
        "tracing settings cannot be read, those in force stay: gone",
        "tracing settings can be read again",
    ]
    assert KeptUpload.objects.get().trace_id == f"{9:032x}"
