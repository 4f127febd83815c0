"""What a preview takes from the reports of all workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mizuchi_site.desk.dry_run import dry_run_report
from mizuchi_site.models import WorkerReport
from mizuchi_site.sampling_preview import NothingToJudge, sampling_preview
from mizuchi_site.settings_spread import Spread, spread_of
from tests.mizuchi_site.members import client_of
from tests.tracing_app.live.kept_traces import keep_traces
from tracing_app.config import SamplingConfig, TracingConfig
from tracing_app.live.effective import effective
from tracing_app.live.overrides import LiveSettings
from tracing_app.live.revisions import save_overrides

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

IN_FORCE = LiveSettings(True, SamplingConfig())


def report(worker: str, *, silent: float = 0, **tracing: Any) -> None:
    """Of a worker that has said nothing since so many seconds."""
    now = timezone.now()
    WorkerReport.objects.create(
        worker=worker,
        node="node",
        pid=1,
        version="1",
        started_at=now,
        reported_at=now - timedelta(seconds=silent),
        in_flight={},
        tracing=tracing,
        engines=[],
    )


def sampling(kept: dict[str, int], dropped: dict[str, int]) -> dict[str, Any]:
    return {"traces_kept": kept, "traces_dropped": dropped}


def test_what_no_worker_keeps_is_unseen() -> None:
    keep_traces("a", 3)
    report("one", sampling=sampling({"head": 5}, {"head": 5, "rule:probes": 100}))
    report("two", sampling=sampling({"rule:rare": 1}, {"rule:probes": 20, "rule:rare": 9, "held_full": 1}))
    report("untraced")

    found = sampling_preview(IN_FORCE, IN_FORCE)

    assert found.unseen == {"rule:probes": 120, "held_full": 1}
    assert found.workers == 2
    shown = dry_run_report(found)
    assert shown.unseen == (("rule probes", 120), ("upload, no room to wait", 1))
    assert shown.unseen_total == 121


@pytest.mark.parametrize("is_kept", [True, False])
def test_without_traces_there_is_nothing_to_judge(settings: Any, is_kept: bool) -> None:
    if not is_kept:
        settings.TRACING = TracingConfig("x")

    with pytest.raises(NothingToJudge, match="yet" if is_kept else "local_store is off"):
        sampling_preview(IN_FORCE, IN_FORCE)


def test_how_far_a_revision_has_spread() -> None:
    save_overrides({"sampling.ratio": 0.5}, by="ada")
    for worker, revision in (("one", 1), ("two", 0)):
        report(worker, revision=revision)
    report("untraced")
    report("gone", silent=60, revision=0)

    assert spread_of(effective()) == Spread(workers=2, with_newest=1)
    assert "1 of 2" in client_of("viewer").get("/admin/tracing/").content.decode()
