"""Stored traces found again, and shown in a terminal."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from django.core.management import CommandError, call_command

from tests.tracing_app.store.drawn import Drawn, request, storage, tree_of, upload
from tests.tracing_app.store.recorded import Recorded
from tracing_app.redaction import upload_hash
from tracing_app.store.models import Outcome, StoredTrace
from tracing_app.store.search import TraceQuery, find_traces, load_tree
from tracing_app.store.terminal import printable, waterfall_lines
from uploads.upload_id import UploadOwner, UploadSealer, UploadTicket

pytestmark = pytest.mark.django_db(databases=["traces"])

JOINED = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def ids() -> dict[str, str]:
    recorded = Recorded()
    made = {
        "fine": recorded.request("PutObject"),
        "other": recorded.request("PutObject", "other", principal="a11ce"),
        "slow": recorded.request("PutObject", milliseconds=2500),
        "refused": recorded.request("PutObject", status=403, error="AccessDenied"),
        "failed": recorded.request("PutObject", status=503, error="ServiceUnavailable"),
        "create": recorded.request("CreateMultipartUpload", trace_id=JOINED),
        "part": recorded.request("UploadPart", upload="f00", trace_id=JOINED, at=20),
    }
    recorded.save()
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (TraceQuery(bucket="other"), ["other"]),
        (TraceQuery(slower_than_ms=2000), ["slow"]),
        (TraceQuery(error="AccessDenied"), ["refused"]),
        (TraceQuery(status=503), ["failed"]),
        (TraceQuery(is_error=True), ["failed"]),
        (TraceQuery(outcome="error"), ["failed"]),
        (TraceQuery(outcome="refused"), ["refused"]),
        (TraceQuery(outcome="failed"), ["failed", "refused"]),
        (TraceQuery(outcome="ok"), ["part", "create", "slow", "other", "fine"]),
        (TraceQuery(kind="s3", bucket="other"), ["other"]),
        (TraceQuery(kind="pages"), []),
        (TraceQuery(is_error=True, bucket="other"), []),
        (TraceQuery(upload_hash="f00"), ["part"]),
        (TraceQuery(principal_hash="a11ce"), ["other"]),
        (TraceQuery(operation="UploadPart"), ["part"]),
        (TraceQuery(trace_id=JOINED.upper()), ["part", "create"]),
        (TraceQuery(key_prefix="out/"), []),
        (TraceQuery(), ["part", "create", "failed", "refused", "slow", "other", "fine"]),
    ],
    ids=str,
)
def test_finding(ids: dict[str, str], query: TraceQuery, expected: Sequence[str]) -> None:
    assert [row.trace_id for row in find_traces(query)] == [ids[name] for name in expected]


def test_outcomes_of_rows_are_those_that_are_found(ids: dict[str, str]) -> None:
    """Whatever a row says: no status, a fault of ours without a status of ERROR, and the other way round."""
    columns = [
        (None, "", False),
        (None, "WorkerDied", False),
        (503, "", False),
        (200, "", True),
        (404, "", False),
    ]
    for trace_id, (status, error, is_error) in zip(ids.values(), columns, strict=False):
        StoredTrace.objects.filter(trace_id=trace_id).update(status=status, error=error, is_error=is_error)
    rows = {row.pk: row.outcome for row in find_traces(TraceQuery())}
    assert set(rows.values()) == {"ok", "refused", "error"}
    for outcome in get_args(Outcome):
        found = {row.pk for row in find_traces(TraceQuery(outcome=outcome))}
        assert found == {key for key, value in rows.items() if value == outcome}
    failed = {row.pk for row in find_traces(TraceQuery(outcome="failed"))}
    assert failed == {key for key, value in rows.items() if value != "ok"}


def test_a_multipart_upload_is_one_tree(ids: dict[str, str]) -> None:
    tree = load_tree(JOINED)

    assert tree is not None
    assert [(depth, node.name) for depth, node in tree.walk()] == [
        (0, "PUT s3.CreateMultipartUpload"),
        (1, "upload.work"),
        (0, "PUT s3.UploadPart"),
        (1, "upload.work"),
    ]
    assert tree.duration_ms == 30
    assert [node.offset_ms for node in tree.roots] == [0, 20]
    assert load_tree("f" * 32) is None


def test_a_waterfall(ids: dict[str, str]) -> None:
    tree = load_tree(ids["failed"])
    assert tree is not None

    lines = list(waterfall_lines(tree))

    assert lines[0].startswith(f"trace {ids['failed']}  2027-01-15 08:00:00 UTC  10.0 ms")
    assert lines[1] == "waited for: client 0, backend 0, policy 0, gateway 10.0 ms"
    assert lines[2:] == [
        f"{'PUT s3.PutObject':44} |{'#' * 32}|   10.0 ms  status=503",
        f"{'  ! upload.work':44} |{' ' * 6}{'#' * 26}|    8.0 ms  error=ServiceUnavailable",
        "    . body.verified at 3.0 ms",
    ]


def test_a_waterfall_tells_who_was_waited_for_and_what_was_waited_for() -> None:
    part = upload(2, 8, client=3, backend=2.5, children=[storage(2, 7)])
    tree = tree_of(request(0, 10, Drawn("beside", 0, 2), Drawn("short", 0, 1), part))

    lines = list(waterfall_lines(tree))

    assert lines[1] == "waited for: client 3.0 ms, backend 2.5 ms, policy 0, gateway 4.5 ms"
    bars = {line.partition("|")[0].strip(): line.split("|")[1].strip() for line in lines[2:]}
    assert {name: set(bar) for name, bar in bars.items()} == {
        "request": {"#"},
        "beside": {"#"},
        "short": {"-"},
        "upload.part": {"#"},
        "file.write": {"#"},
    }


def traces(*arguments: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command("traces", *arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def test_the_command(ids: dict[str, Any]) -> None:
    code, listed = traces("--error")
    assert code == 0
    assert len(listed.splitlines()) == 1
    assert ids["failed"] in listed
    assert "ServiceUnavailable" in listed

    assert ids["slow"] in traces("--slow", "1s")[1]
    assert len(traces("--limit", "2")[1].splitlines()) == 2
    assert traces(ids["fine"])[1].startswith(f"trace {ids['fine']}")
    assert traces("--bucket", "none") == (1, "No such trace is kept here.\n")
    assert traces("e" * 32)[0] == 1


def test_the_newest_of_what_was_asked_for(ids: dict[str, Any]) -> None:
    newest = traces("--limit", "1")[1].split()[-1]
    assert traces("--last")[1].startswith(f"trace {newest}")
    assert traces("--last", "--error")[1].startswith(f"trace {ids['failed']}")
    assert traces("--last", "--bucket", "none") == (1, "No such trace is kept here.\n")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--slow", "quick"], ["--status", "x"], ["--since", "soon"]], ids=str
)
def test_the_command_says_what_it_cannot_read(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        traces(*arguments)


def test_a_terminal_is_not_told_what_to_do() -> None:
    assert printable("a\x1b[2Jb\n") == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}"


def test_a_trace_as_json_for_other_tools(ids: dict[str, str]) -> None:
    code, shown = traces(ids["fine"], "--otlp-json")

    (resource,) = json.loads(shown)["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    assert code == 0
    assert [span["name"] for span in scope["spans"]] == ["upload.work", "PUT s3.PutObject"]
    assert scope["spans"][0]["traceId"] == ids["fine"]
    assert traces("e" * 32, "--otlp-json")[0] == 1
    with pytest.raises(CommandError, match="with a request id"):
        traces("--otlp-json")


def test_an_upload_is_found_by_the_id_that_its_client_has() -> None:
    upload_id = UploadSealer([b"k" * 32]).seal(
        UploadTicket("backend-id", 0.0), UploadOwner("somebody", "uploads", "in/abc")
    )
    recorded = Recorded()
    part = recorded.request("UploadPart", upload=upload_hash(upload_id))
    recorded.request("UploadPart", upload=upload_hash("another"))
    recorded.save()

    for shown in (upload_id, upload_hash(upload_id)):
        code, listed = traces("--upload", shown)
        assert code == 0
        assert [line.split()[-1] for line in listed.splitlines()] == [part]


def test_the_command_lists_by_when_they_began(ids: dict[str, str]) -> None:
    recorded = Recorded()
    earlier = recorded.request("PutObject", at=-1)
    recorded.save()

    assert traces()[1].splitlines()[-1].endswith(earlier)


def test_the_command_knows_times_and_principals() -> None:
    recorded = Recorded()
    now = time.time_ns()
    ids = {
        minutes: recorded.request("PutObject", principal=f"{minutes:016x}", began=now - minutes * 60 * 10**9)
        for minutes in (600, 90, 10)
    }
    recorded.save()

    def found(*arguments: str) -> list[str]:
        return [line.split()[-1] for line in traces(*arguments)[1].splitlines()]

    assert found("--since", "15m") == [ids[10]]
    assert found("--since", "2h") == [ids[10], ids[90]]
    assert found("--since", "1d", "--until", "1h") == [ids[90], ids[600]]
    iso = datetime.fromtimestamp(now / 1e9 - 60 * 60, UTC).isoformat()
    assert found("--until", iso) == [ids[90], ids[600]]
    assert found("--principal", f"{90:016x}") == [ids[90]]
