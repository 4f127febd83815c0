"""What failed in a trace."""

from __future__ import annotations

from mizuchi_site.desk.trace_failures import FAILURES_SHOWN, REQUESTS_NAMED, failures
from tracing_app.store.tree import Node


def request(status: int | None = 200, error: str = "", *children: Node, is_error: bool = False) -> Node:
    attributes = {"http.response.status_code": status, "error.type": error, "rpc.method": "S3/UploadPart"}
    known = {name: value for name, value in attributes.items() if value not in (None, "")}
    return Node("id", "PUT s3.UploadPart", "SERVER", 0, 1, is_error, known, [], [], False, list(children))  # type: ignore[arg-type]


def told(*requests: Node) -> list[tuple[str, int | None, bool, int]]:
    return [(each.code, each.status, each.is_ours, each.count) for each in failures(requests)]


def test_the_same_failures_are_told_together() -> None:
    slow = request(503, "SlowDown", is_error=True)
    found = failures([request(), slow, request(400, "BadDigest"), slow])
    assert [(each.code, [one.number for one in each.requests]) for each in found] == [
        ("SlowDown", [1, 3]),
        ("BadDigest", [2]),
    ]
    assert found[0].requests[0].operation == "UploadPart"
    assert found[0].advice is not None
    assert (found[0].is_ours, found[1].is_ours) == (True, False)


def test_what_counts_as_failed() -> None:
    assert told(request()) == []
    assert told(request(404)) == [("", 404, False, 1)]
    assert told(request(500)) == [("", 500, True, 1)]
    assert told(request(None, "WorkerDied")) == [("WorkerDied", None, False, 1)]
    assert told(request(None, is_error=True)) == [("", None, True, 1)]


def test_an_answer_without_a_code_has_that_of_a_span_below() -> None:
    below = Node("b", "file.write", "INTERNAL", 0, 1, False, {"error.type": "OSError"}, [], [], False)
    assert told(request(503, "", below)) == [("OSError", 503, True, 1)]
    assert told(request(200, "", below)) == []


def test_many_are_counted_and_the_first_are_named() -> None:
    (found,) = failures([request(503, "SlowDown")] * 1000)
    assert (found.count, len(found.requests), found.unnamed) == (1000, REQUESTS_NAMED, 1000 - REQUESTS_NAMED)
    assert len(failures([request(400, f"Code{number}") for number in range(100)])) == FAILURES_SHOWN
