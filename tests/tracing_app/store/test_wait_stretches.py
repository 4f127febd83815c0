"""Who was waited for, and when."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.tracing_app.store.drawn import CLIENT, Drawn, request, storage, tree_of, upload
from tests.tracing_app.store.drawn_anyhow import any_requests
from tracing_app.store.tree import Moment, Tree
from tracing_app.store.wait_stretches import Stretch, request_stretches, trace_stretches

MS = 1_000_000


def told(stretches: list[Stretch]) -> list[tuple[str, float, float]]:
    return [(each.who, each.start_ns / MS, each.end_ns / MS) for each in stretches]


def of_request(*spans: Drawn, end: float = 10) -> list[tuple[str, float, float]]:
    return told(request_stretches(tree_of(request(0, end, *spans)).roots[0]))


def received_at(tree: Tree, ms: float) -> Tree:
    """The upload of the tree tells when the last byte came."""
    node = next(node for _, node in tree.walk() if node.name.startswith("upload."))
    node.events.append(Moment("body.received", ms, {}))
    return tree


def test_calls_to_others_are_theirs_and_the_rest_is_ours() -> None:
    auth = Drawn("authz.opa", 1, 3, kind=CLIENT)
    assert of_request(auth, Drawn("upload.complete_multipart", 4, 9, [storage(5, 8)])) == [
        ("gateway", 0, 1),
        ("policy", 1, 3),
        ("gateway", 3, 5),
        ("backend", 5, 8),
        ("gateway", 8, 10),
    ]


def test_an_upload_waits_for_its_client_until_the_last_byte_and_for_the_backend_at_the_end() -> None:
    tree = received_at(tree_of(request(0, 10, upload(1, 9, client=4, backend=2))), 6)
    assert told(request_stretches(tree.roots[0])) == [
        ("gateway", 0, 1),
        ("client", 1, 5),
        ("gateway", 5, 7),
        ("backend", 7, 9),
        ("gateway", 9, 10),
    ]


def test_a_backend_that_takes_longer_than_the_end_took_some_before() -> None:
    tree = received_at(tree_of(request(0, 10, upload(0, 10, client=3, backend=5))), 7)
    assert told(request_stretches(tree.roots[0])) == [
        ("client", 0, 3),
        ("backend", 3, 5),
        ("gateway", 5, 7),
        ("backend", 7, 10),
    ]


def test_a_client_that_is_waited_for_after_the_last_byte_finds_room() -> None:
    tree = received_at(tree_of(request(0, 10, upload(0, 10, client=6, backend=2))), 4)
    assert told(request_stretches(tree.roots[0])) == [("client", 0, 6), ("gateway", 6, 8), ("backend", 8, 10)]


def test_between_requests_the_client_is_waited_for() -> None:
    tree = tree_of(request(0, 2), request(5, 10, storage(6, 10)))
    assert told(trace_stretches(tree)) == [
        ("gateway", 0, 2),
        ("client", 2, 5),
        ("gateway", 5, 6),
        ("backend", 6, 10),
    ]


def test_of_requests_at_the_same_time_most_count() -> None:
    slow_client = upload(0, 10, client=10, backend=0)
    tree = tree_of(request(0, 10, slow_client), request(0, 10, slow_client), request(0, 15, storage(0, 15)))
    assert told(trace_stretches(tree)) == [("client", 0, 10), ("backend", 10, 15)]


@given(any_requests())
def test_stretches_follow_each_other_from_the_beginning_to_the_end(drawn: list[Drawn]) -> None:
    for each in tree_of(*drawn).requests():
        moment, until = each.interval_ns
        for stretch in request_stretches(each):
            assert stretch.start_ns == pytest.approx(moment, abs=1)
            assert stretch.end_ns > stretch.start_ns
            moment = stretch.end_ns
        assert moment == pytest.approx(until, abs=1)


@given(any_requests())
def test_those_of_a_trace_have_no_gap(drawn: list[Drawn]) -> None:
    tree = tree_of(*drawn)
    stretches = trace_stretches(tree)
    moments = [stretches[0].start_ns, *(each.end_ns for each in stretches)] if stretches else []
    assert [each.start_ns for each in stretches] == moments[:-1]
    assert moments[-1:] == pytest.approx([tree.duration_ms * MS] if tree.duration_ms else [], abs=1)
