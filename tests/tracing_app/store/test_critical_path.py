"""Which spans a request's time was spent in."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.tracing_app.store.drawn import Drawn, request, tree_of
from tests.tracing_app.store.drawn_anyhow import any_requests
from tracing_app.store.critical_path import SpanTime, span_times
from tracing_app.store.tree import Tree


def by_name(tree: Tree) -> dict[str, SpanTime]:
    times = span_times(tree)
    return {node.name: times[node.span_id] for _, node in tree.walk()}


def critical(tree: Tree) -> dict[str, float]:
    return {name: time.critical_ms for name, time in by_name(tree).items() if time.is_critical}


def test_one_after_the_other_all_are_on_the_path() -> None:
    auth, write = Drawn("auth", 1, 3), Drawn("write", 5, 9)
    tree = tree_of(request(0, 10, auth, Drawn("upload", 4, 9.5, [write])))

    assert critical(tree) == {"request": 2.5, "auth": 2, "upload": 1.5, "write": 4}
    assert {name: time.self_ms for name, time in by_name(tree).items()} == critical(tree)


def test_at_the_same_time_only_the_last_to_end_is() -> None:
    tree = tree_of(request(0, 10, Drawn("short", 1, 5), Drawn("long", 1, 9)))

    assert critical(tree) == {"request": 2, "long": 8}
    assert by_name(tree)["short"].self_ms == 4
    assert by_name(tree)["request"].self_ms == 2


def test_what_ended_before_the_last_one_began_is_too() -> None:
    first, beside, last = Drawn("first", 0, 4), Drawn("beside", 3, 7), Drawn("last", 5, 10)
    tree = tree_of(request(0, 10, first, beside, last))

    assert critical(tree) == {"request": 1, "first": 4, "last": 5}


def test_a_child_counts_only_while_its_parent_runs() -> None:
    """It may be later, or its machine's clock may be wrong."""
    tree = tree_of(request(2, 8, Drawn("early", 0, 3), Drawn("late", 6, 12), Drawn("after", 9, 11)))

    assert critical(tree) == {"request": 3, "early": 1, "late": 2}
    assert by_name(tree)["request"].self_ms == 3
    assert by_name(tree)["late"].self_ms == 6


def test_requests_of_an_upload_follow_one_another() -> None:
    """Parts at the same time: the path goes through those that the end waited for."""
    create, complete = request(0, 2, name="create"), request(20, 24, name="complete")
    one, two, three = (
        request(3, 9, Drawn("write", 4, 8), name="one"),
        request(3, 18, name="two"),
        request(10, 19, name="three"),
    )
    tree = tree_of(create, one, two, three, complete)

    assert critical(tree) == {"create": 2, "one": 2, "write": 4, "three": 9, "complete": 4}
    assert by_name(tree)["create"].self_ms == 2, "requests that joined it are not its children in time"


def test_a_span_without_duration() -> None:
    tree = tree_of(request(0, 0, Drawn("nothing", 0, 0)))

    assert critical(tree) == {}


@given(any_requests())
def test_the_path_is_as_long_as_the_requests_on_it(drawn: list[Drawn]) -> None:
    tree = tree_of(*drawn)
    times = span_times(tree)

    for _, node in tree.walk():
        time = times[node.span_id]
        assert 0 <= time.critical_ms <= node.duration_ms + 1e-6
        assert 0 <= time.self_ms <= node.duration_ms + 1e-6
        assert time.is_critical or time.critical_ms == 0
    if len(tree.requests()) == 1:
        total = sum(time.critical_ms for time in times.values())
        assert total == pytest.approx(tree.requests()[0].duration_ms, abs=1e-6)
    assert sum(time.critical_ms for time in times.values()) <= tree.duration_ms + 1e-6
