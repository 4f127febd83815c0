"""The history of live settings: who changed what, since when it is in force, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tracing_app.apps import tracing_config
from tracing_app.live import revisions
from tracing_app.live.difference import FROM_FILE, Change
from tracing_app.live.effective import effective
from tracing_app.live.overrides import OverridesInvalid
from tracing_app.live.revisions import (
    RevisionConflict,
    current_overrides,
    history,
    origins,
    restore,
    save_overrides,
    undo,
)
from tracing_app.models import TracingRevision

RULES = [{"name": "all", "when": "bucket = a", "keep": "always"}]


@pytest.mark.django_db
def test_history_and_the_way_back() -> None:
    first = save_overrides({"sampling.ratio": 0.1}, by="ada")
    second = save_overrides({"sampling.ratio": 0.2, "enabled": False}, by="bob", note="an incident")

    assert current_overrides() == {"sampling.ratio": 0.2, "enabled": False}
    newest, oldest = history(limit=10)
    assert (newest.revision, oldest.revision) == (second, first)
    assert newest.changes == (Change("enabled", FROM_FILE, False), Change("sampling.ratio", 0.1, 0.2))
    assert oldest.changes == (Change("sampling.ratio", FROM_FILE, 0.1),)

    undone = undo(by="ada")
    assert undone is not None
    assert current_overrides() == {"sampling.ratio": 0.1}
    assert undone.note == f"back to revision {first.pk}"
    restore(second, by="ada")
    assert current_overrides() == second.overrides
    with pytest.raises(OverridesInvalid):
        save_overrides({"sampling.ratio": 2}, by="ada")
    assert TracingRevision.objects.count() == 4


@pytest.mark.django_db
def test_the_first_change_can_be_undone() -> None:
    assert undo(by="ada") is None
    save_overrides({"sampling.ratio": 0.1}, by="ada")

    undo(by="ada")

    assert current_overrides() == {}


@pytest.mark.django_db
def test_null_is_a_value() -> None:
    """That nothing is slow is not the same as what the file says."""
    save_overrides({"sampling.slow_request_ms": None}, by="ada")

    assert history(limit=1)[0].changes == (Change("sampling.slow_request_ms", FROM_FILE, None),)
    assert effective().settings.sampling.slow_request_ms is None
    assert list(origins()) == ["sampling.slow_request_ms"]


@pytest.mark.django_db
def test_history_by_pages() -> None:
    for number in range(1, 6):
        save_overrides({"sampling.ratio": number / 10}, by="ada")

    pages = [history(limit=2), history(limit=2, before=4), history(limit=2, before=2)]

    assert [[entry.revision.pk for entry in page] for page in pages] == [[5, 4], [3, 2], [1]]
    assert pages[1][1].changes == (Change("sampling.ratio", 0.1, 0.2),)


@pytest.mark.django_db
def test_each_key_is_in_force_since_it_was_changed() -> None:
    first = save_overrides({"sampling.ratio": 0.1, "enabled": True}, by="ada")
    second = save_overrides({"sampling.ratio": 0.2, "enabled": True}, by="bob")
    save_overrides({"sampling.ratio": 0.2, "enabled": True, "sampling.errors": False}, by="cy")
    last = save_overrides({"sampling.ratio": 0.2, "enabled": True}, by="cy")

    assert origins() == {"sampling.ratio": second, "enabled": first}
    now = effective()
    changed = {each.key: (each.value, each.file_value, each.changed) for each in now.keys}
    assert now.number == last.pk
    assert changed["sampling.ratio"] == (0.2, tracing_config().sampling.ratio, second)
    assert changed["sampling.errors"] == (True, True, None)
    assert now.overrides == {"sampling.ratio": 0.2, "enabled": True}


@pytest.mark.django_db
def test_without_a_change_the_file_is_in_force() -> None:
    now = effective()

    assert (now.number, now.overrides, now.settings.sampling) == (0, {}, tracing_config().sampling)
    assert origins() == {}


@pytest.mark.django_db
def test_what_the_file_has_switched_off_stays_off(settings: Any) -> None:
    settings.TRACING = replace(tracing_config(), is_enabled=False)
    save_overrides({"enabled": True}, by="ada")

    now = effective()

    assert not now.settings.enabled
    assert now.keys[0].value is now.keys[0].file_value is False
    assert now.overrides == {"enabled": True}


@pytest.mark.django_db
def test_a_revision_that_cannot_be_right_is_told() -> None:
    TracingRevision.objects.create(overrides={"sampling.ratio": "a lot"}, changed_by="a later version")

    now = effective()

    assert [fault.path for fault in now.faults] == ["sampling.ratio"]
    assert now.settings.sampling == tracing_config().sampling
    assert now.number == 1


CHANGES: list[Callable[[int], Any]] = [
    lambda based_on: save_overrides({}, by="bob", based_on=based_on),
    lambda based_on: undo(by="bob", based_on=based_on),
    lambda based_on: restore(TracingRevision.objects.get(pk=1), by="bob", based_on=based_on),
]


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES, ids=["save", "undo", "restore"])
@pytest.mark.parametrize("based_on", [0, 1, 3])
def test_a_change_of_what_is_not_in_force_any_more_is_refused(
    change: Callable[[int], Any], based_on: int
) -> None:
    save_overrides({"sampling.ratio": 0.1}, by="ada", based_on=0)
    newest = save_overrides({"sampling.ratio": 0.2}, by="ada", based_on=1)

    with pytest.raises(RevisionConflict) as caught:
        change(based_on)

    assert caught.value.newest == newest
    assert current_overrides() == {"sampling.ratio": 0.2}
    assert change(2) is not None


@pytest.mark.django_db
def test_of_changes_at_the_same_time_one_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other is saved between the look at the newest revision and the insertion."""
    others: list[TracingRevision] = []

    def look_then_wait() -> TracingRevision | None:
        seen = TracingRevision.objects.first()
        if not others:
            others.append(TracingRevision.objects.create(pk=1, overrides={}, changed_by="bob"))
        return seen

    monkeypatch.setattr(revisions, "newest_revision", look_then_wait)

    with pytest.raises(RevisionConflict) as caught:
        save_overrides({"sampling.ratio": 0.5}, by="ada", based_on=0)

    assert caught.value.newest == others[0]
    assert TracingRevision.objects.get() == others[0]
