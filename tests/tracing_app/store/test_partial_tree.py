"""A large trace of which only some requests are read."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.tracing_app.store.drawn import Drawn, request, storage, stored, upload
from tracing_app.store.models import StoredTrace
from tracing_app.store.partial_tree import PartialTree, load_partial_tree
from tracing_app.store.requests import requests_of
from tracing_app.store.search import load_tree
from tracing_app.store.waits import trace_waits

pytestmark = pytest.mark.django_db(databases=["traces"])


def part(number: int) -> Drawn:
    start = 10.0 * number
    return request(start, start + 8, upload(start, start + 7, client=4, backend=2), name=f"part {number}")


def multipart(parts: int) -> str:
    end = 10.0 * (parts + 1)
    return stored(
        request(0, 5, storage(1, 4), name="create"),
        *map(part, range(1, parts + 1)),
        request(end, end + 50, storage(end, end + 49), name="complete"),
    )


def partial(trace_id: str, *read: int) -> PartialTree:
    found = load_partial_tree(requests_of(trace_id), set(read))
    assert found is not None
    return found


def test_requests_that_are_not_read_are_there_without_the_spans_below_them() -> None:
    found = partial(multipart(5), 0, 2, 6)
    spans = [(depth, node.name, node.span_id in found.unread) for depth, node in found.tree.walk()]
    assert spans == [
        (0, "create", False),
        (1, "file.write", False),
        (1, "part 1", True),
        (1, "part 2", False),
        (2, "upload.part", False),
        (1, "part 3", True),
        (1, "part 4", True),
        (1, "part 5", True),
        (1, "complete", False),
        (2, "file.write", False),
    ]


def test_it_is_as_long_as_the_whole_and_its_waits_are_those() -> None:
    trace_id = multipart(5)
    whole = load_tree(trace_id)
    assert whole is not None
    for read in ((0, 6), (0, 1), (0, 3, 4, 6)):
        tree = partial(trace_id, *read).tree
        assert tree.duration_ms == pytest.approx(whole.duration_ms, abs=0.01)
        assert tree.start_ns == whole.start_ns
    assert trace_waits(partial(trace_id, 0, 6).tree).client_ms == pytest.approx(
        trace_waits(whole).client_ms, abs=0.1
    )


def test_rows_tell_what_failed_and_where() -> None:
    trace_id = multipart(3)
    StoredTrace.objects.filter(name="part 2").update(
        error="BadDigest", status=400, bucket="b", operation="UploadPart"
    )
    nodes = {node.name: node for _, node in partial(trace_id, 0, 4).tree.walk()}
    attributes = nodes["part 2"].attributes
    assert attributes["error.type"] == "BadDigest"
    assert attributes["http.response.status_code"] == 400
    assert attributes["aws.s3.bucket"] == "b"
    assert attributes["rpc.method"] == "S3/UploadPart"
    assert "error.type" not in nodes["part 1"].attributes


def test_requests_without_a_first_one_are_beside_each_other() -> None:
    trace_id = multipart(3)
    StoredTrace.objects.filter(name="create").delete()
    found = partial(trace_id, 0, 3)
    assert [node.name for node in found.tree.roots] == ["part 1", "part 2", "part 3", "complete"]


def test_only_what_is_asked_for_is_read() -> None:
    rows = requests_of(multipart(20))
    with CaptureQueriesContext(connections["traces"]) as queries:
        load_partial_tree(rows, {0, 5})
    (query,) = queries.captured_queries
    assert f"IN ({rows[0].pk}, {rows[5].pk})" in query["sql"]


def test_what_is_no_longer_stored_is_none() -> None:
    rows = requests_of(multipart(3))
    StoredTrace.objects.all().delete()
    assert load_partial_tree(rows, {0}) is None
