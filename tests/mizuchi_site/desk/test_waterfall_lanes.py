"""The lines of a waterfall with their bars."""

from __future__ import annotations

import pytest

from mizuchi_site.desk.lane_bars import Bar
from mizuchi_site.desk.shown_spans import MAX_LINES, requests_of
from mizuchi_site.desk.waterfall_lanes import FoldedRow, SpanRow, WaterfallLanes, waterfall_lanes
from tests.tracing_app.store.drawn import CLIENT, Drawn, request, storage, tree_of, upload
from tracing_app.store.tree import Moment, Tree


def rows_of(lanes: WaterfallLanes) -> dict[str, SpanRow]:
    return {row.node.name: row for row in lanes.rows if isinstance(row, SpanRow)}


def put() -> Tree:
    """100 ms: a policy engine is asked, then the client sends for 50 ms while the storage takes it."""
    engine = Drawn("authz.opa", 10, 20, kind=CLIENT)
    transfer = upload(20, 90, client=50, backend=15, children=[storage(25, 85)])
    tree = tree_of(request(0, 100, engine, transfer))
    node = next(node for _, node in tree.walk() if node.name == "upload.part")
    node.events.append(Moment("body.received", 70, {}))
    return tree


def test_a_bar_is_coloured_where_no_span_below_it_runs() -> None:
    rows = rows_of(waterfall_lanes(put()))
    assert rows["authz.opa"].bar == Bar(10, 10)
    assert rows["authz.opa"].waits == [Bar(10, 10, "policy")]
    assert rows["upload.part"].waits == [Bar(20, 5, "client"), Bar(85, 5, "backend")]
    assert rows["file.write"].waits == [Bar(25, 45, "client"), Bar(70, 5, "gateway"), Bar(75, 10, "backend")]
    assert rows["file.write"].waited == [("client", 45), ("backend", 10), ("gateway", 5)]


def test_that_of_a_request_is_coloured_everywhere() -> None:
    waits = rows_of(waterfall_lanes(put()))["request"].waits
    assert [(bar.who, bar.width) for bar in waits] == [
        ("gateway", 10),
        ("policy", 10),
        ("client", 50),
        ("gateway", 5),
        ("backend", 15),
        ("gateway", 10),
    ]


def test_all_shares_together_are_the_whole() -> None:
    lanes = waterfall_lanes(put())
    assert [(share.who, share.ms, share.bar) for share in lanes.shares] == [
        ("client", 50, Bar(0, 50, "client")),
        ("backend", 15, Bar(50, 15, "backend")),
        ("policy", 10, Bar(65, 10, "policy")),
        ("gateway", 25, Bar(75, 25, "gateway")),
    ]
    assert [bar.who for bar in lanes.band] == ["gateway", "policy", "client", "gateway", "backend", "gateway"]
    assert [tick.label for tick in lanes.ticks] == ["0", "20.0 ms", "40.0 ms", "60.0 ms", "80.0 ms"]


def test_what_is_too_short_to_be_seen_has_the_colour_of_its_longest_wait() -> None:
    tree = tree_of(request(0, 100_000, storage(50_000, 50_001)))
    assert rows_of(waterfall_lanes(tree))["file.write"].waits == [Bar(50, 0.3, "backend")]


def test_most_of_the_critical_path_is_emphasised() -> None:
    rows = rows_of(waterfall_lanes(put()))
    assert [name for name, row in rows.items() if row.is_heavy] == [
        "request",
        "authz.opa",
        "upload.part",
        "file.write",
    ]
    tree = tree_of(request(0, 100, Drawn("quick", 1, 2), Drawn("beside", 3, 80), Drawn("long", 3, 99)))
    rows = rows_of(waterfall_lanes(tree))
    assert [(name, row.time.is_critical, row.is_heavy) for name, row in rows.items()] == [
        ("request", True, False),
        ("quick", True, False),
        ("long", True, True),
        ("beside", False, False),
    ]


def test_events_are_marks() -> None:
    tree = put()
    (mark,) = rows_of(waterfall_lanes(tree))["upload.part"].marks
    assert (mark.x, mark.name, mark.offset_ms) == (70, "body.received", 70)
    node = next(node for _, node in tree.walk() if node.name == "upload.part")
    node.events.extend(Moment("more", 40, {}) for _ in range(1000))
    assert len(rows_of(waterfall_lanes(tree))["upload.part"].marks) < 100


def test_errors_are_named() -> None:
    tree = put()
    nodes = {node.name: node for _, node in tree.walk()}
    nodes["file.write"].attributes["error.type"] = "BadDigest"
    nodes["upload.part"].is_error = True
    rows = rows_of(waterfall_lanes(tree))
    assert [rows[name].error for name in ("file.write", "upload.part", "authz.opa")] == [
        "BadDigest",
        "error",
        "",
    ]


def test_a_large_upload_folds() -> None:
    parts = [request(20 * number, 20 * number + 10 + number % 2) for number in range(1, 61)]
    tree = tree_of(request(0, 5), *parts)
    *others, last = requests_of(tree)
    lanes = waterfall_lanes(tree, {node.span_id for node in others[1:]})
    _, folded, shown = lanes.rows
    assert isinstance(folded, FoldedRow)
    assert isinstance(shown, SpanRow)
    assert shown.node is last
    assert len(folded.line.requests) == lanes.folded_requests == 59
    assert folded.operations == [("request", 59)]
    assert (folded.shortest_ms, folded.longest_ms) == (10, 11)
    assert len(folded.bars) == 59
    assert not lanes.is_cut


def test_more_spans_than_lines_are_said() -> None:
    tree = tree_of(request(0, 100, *(Drawn("s", 1, 2) for _ in range(MAX_LINES))))
    assert waterfall_lanes(tree).is_cut


@pytest.mark.parametrize("duration", [0, 1e-6, 1e9])
def test_any_duration_can_be_drawn(duration: float) -> None:
    lanes = waterfall_lanes(tree_of(request(0, duration)))
    assert [row.bar.x for row in lanes.rows if isinstance(row, SpanRow)] == [0]
