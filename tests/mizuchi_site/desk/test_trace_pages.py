"""Pages of a list that grows while it is read."""

from __future__ import annotations

import pytest

from mizuchi_site.desk.trace_pages import Cursor, trace_page
from tests.tracing_app.store.recorded import Recorded
from tracing_app.store.search import TraceQuery, find_traces


@pytest.mark.django_db(databases=["traces"])
def test_each_request_is_on_one_page_in_the_order_of_time() -> None:
    recorded = Recorded()
    times = [5, 1, 3, 3, 3, 2, 4]
    made = [(at, recorded.request("PutObject", at=at)) for at in times]
    recorded.save()
    expected = [made[index][1] for index in (0, 6, 4, 3, 2, 5, 1)]

    seen: list[str] = []
    cursor: Cursor | None = None
    for size in (2, 2, 2, 2):
        page = trace_page(find_traces(TraceQuery()), cursor, size)
        seen += [row.trace_id for row in page.rows]
        cursor = page.older and Cursor.parse(str(page.older))
        recorded.request("PutObject", at=100 + len(seen))
        recorded.save()
    assert seen == expected
    assert cursor is None


@pytest.mark.parametrize(
    "text", ["", "x", "1", "1-", "-1-1", "1-1-1", "9" * 40 + "-1", "1-" + "9" * 40, "\u0661-1"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a place"):
        Cursor.parse(text)
