"""The tracing settings by REST: what is in force, changes and the way back, trials."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client

from mizuchi_site.rest.tracing_overrides import KEYS
from tests.mizuchi_site.members import client_of
from tests.servers.otlp_receiver import otlp_receiver
from tests.tracing_app.live.kept_traces import keep_traces
from tracing_app.config import TracingConfig
from tracing_app.exporting.config import ExportConfig, OtlpConfig
from tracing_app.live.overrides import LIVE_KEYS
from tracing_app.live.revisions import current_overrides, save_overrides
from tracing_app.models import TracingRevision

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

BASE = "/api/v1/tracing"
RULES = [{"name": "a", "when": "bucket = a", "keep": "never"}]


@pytest.fixture
def operator() -> Client:
    return client_of("operator")


def send(client: Client, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    send_it = getattr(client, method)
    data = {} if method == "get" else {"data": body or {}, "content_type": "application/json"}
    answer: HttpResponse = send_it(f"{BASE}/{path}", **data)
    assert answer.status_code == status, answer.content
    return answer.json()  # type: ignore[attr-defined]


def test_what_is_in_force_with_its_sources() -> None:
    save_overrides({"sampling.ratio": 0.25}, by="ada", note="less")

    told = send(client_of("viewer"), "get", "settings/")

    assert told["overrides"] == {"sampling.ratio": 0.25}
    assert (told["revision"]["revision"], told["revision"]["note"], told["faults"]) == (1, "less", [])
    by_path = {each["path"]: each for each in told["settings"]}
    ratio, errors = by_path["tracing.sampling.ratio"], by_path["tracing.sampling.errors"]
    assert (ratio["value"], ratio["source"], ratio["file_value"]) == (0.25, "live", 1.0)
    assert (ratio["revision"], ratio["changed_by"]) == (1, "ada")
    assert (errors["value"], errors["source"], errors["changed_by"]) == (True, "default", None)
    assert [path for path, each in by_path.items() if each["is_live"]] == [
        f"tracing.{key}" for key in LIVE_KEYS
    ]
    assert by_path["tracing.otlp.protocol"]["value"] == "grpc"


def test_every_live_key_is_described() -> None:
    assert tuple(KEYS) == LIVE_KEYS


def test_without_a_revision_the_file_is_in_force() -> None:
    told = send(client_of("viewer"), "get", "settings/")

    assert (told["revision"], told["overrides"]) == (None, {})


def test_overrides_are_replaced_whole(operator: Client) -> None:
    send(operator, "put", "settings/", {"overrides": {"sampling.ratio": 0.5}, "note": "why", "revision": 0})
    told = send(operator, "put", "settings/", {"overrides": {"sampling.rules": RULES}})

    assert told["overrides"] == current_overrides() == {"sampling.rules": RULES}
    assert told["revision"]["changed_by"] == "operator-user"
    first = TracingRevision.objects.get(pk=1)
    assert first.note == "why"
    assert [each.get_change_message() for each in LogEntry.objects.order_by("pk")] == [
        "sampling.ratio: as in the file -> 0.5",
        "sampling.ratio: 0.5 -> as in the file; sampling.rules: as in the file -> 1 rule",
    ]


def test_some_overrides_are_changed_and_some_taken_back(operator: Client) -> None:
    save_overrides({"sampling.ratio": 0.5, "sampling.slow_request_ms": None}, by="ada")

    told = send(
        operator,
        "patch",
        "settings/",
        {"overrides": {"enabled": False}, "reset": ["sampling.ratio", "sampling.errors"]},
    )

    assert told["overrides"] == {"sampling.slow_request_ms": None, "enabled": False}


def test_the_same_again_is_no_revision(operator: Client) -> None:
    for _ in range(2):
        send(operator, "put", "settings/", {"overrides": {"sampling.ratio": 0.5}})

    assert TracingRevision.objects.count() == 1


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_is_wrong_is_told_by_path(operator: Client, method: str) -> None:
    rules = [*RULES, {"name": "b", "when": "bucket =", "keep": "often"}]
    overrides = {"sampling.ratio": 2, "sampling.rules": rules, "\ud800": 1}

    told = send(operator, method, "settings/", {"overrides": overrides}, status=400)

    assert [(fault["path"], fault["column"]) for fault in told["faults"]] == [
        ("sampling.ratio", None),
        ("sampling.rules[1].when", 9),
        ("sampling.rules[1].keep", None),
        ("\\ud800", None),
    ]
    assert not TracingRevision.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"overrides": []},
        {"overrides": None},
        {"overrides": {}, "revision": -1},
        {"overrides": {}, "note": "x" * 256},
        [],
    ],
    ids=str,
)
def test_a_request_that_is_none(operator: Client, body: Any) -> None:
    answer = operator.put(f"{BASE}/settings/", body, content_type="application/json")

    assert answer.status_code == 400


CHANGES = [
    ("put", "settings/", {"overrides": {}}),
    ("patch", "settings/", {"reset": ["sampling.ratio"]}),
    ("post", "settings/undo/", {}),
    ("post", "settings/revisions/1/restore/", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_change_of_what_is_not_in_force_any_more(
    operator: Client, method: str, path: str, body: dict[str, Any]
) -> None:
    save_overrides({"sampling.ratio": 0.5}, by="ada")
    save_overrides({"sampling.ratio": 0.6}, by="ada")

    told = send(operator, method, path, body | {"revision": 1}, status=409)

    assert told["detail"] == "Revision 2 is in force by now; look at it first."
    assert current_overrides() == {"sampling.ratio": 0.6}
    send(operator, method, path, body | {"revision": 2})


def test_history_undo_and_restore(operator: Client) -> None:
    send(operator, "post", "settings/undo/", status=404)
    for ratio in (0.1, 0.2, 0.3):
        save_overrides({"sampling.ratio": ratio}, by="ada")

    assert send(operator, "post", "settings/undo/")["overrides"] == {"sampling.ratio": 0.2}
    assert send(operator, "post", "settings/revisions/1/restore/")["overrides"] == {"sampling.ratio": 0.1}
    send(operator, "post", "settings/revisions/99/restore/", status=404)
    for impossible in (10**30, -1, "x"):
        send(operator, "post", f"settings/revisions/{impossible}/restore/", status=404)

    page = send(operator, "get", "settings/revisions/?limit=2")
    assert [each["revision"] for each in page["results"]] == [5, 4]
    assert page["results"][0]["note"] == "back to revision 1"
    assert page["results"][0]["changes"] == [
        {"key": "sampling.ratio", "before": {"value": 0.2}, "after": {"value": 0.1}}
    ]
    older = operator.get(page["next"]).json()
    assert [each["revision"] for each in older["results"]] == [3, 2]
    last = operator.get(older["next"]).json()
    assert last["next"] is None
    assert last["results"][0]["changes"][0]["before"] is None
    assert operator.get(f"{BASE}/settings/revisions/?limit=0").status_code == 400


def test_a_revision_that_cannot_be_right_any_more(operator: Client) -> None:
    TracingRevision.objects.create(overrides={"sampling.gone": 1}, changed_by="an earlier version")

    told = send(operator, "get", "settings/")
    assert [fault["path"] for fault in told["faults"]] == ["sampling.gone"]
    send(operator, "put", "settings/", {"overrides": {}})
    told = send(operator, "post", "settings/revisions/1/restore/", status=400)
    assert [fault["path"] for fault in told["faults"]] == ["sampling.gone"]


def test_a_dry_run(operator: Client) -> None:
    send(operator, "post", "dry-run/", {"overrides": {}}, status=404)
    keep_traces("a", 30)
    keep_traces("b", 10)

    told = send(operator, "post", "dry-run/", {"overrides": {"sampling.rules": RULES}, "traces": 40})

    assert (told["now"]["looked_at"], told["now"]["total"]["kept_traces"]) == (40, 40)
    assert told["edited"]["total"]["kept_traces"] == 10
    assert told["edited"]["by_reason"]["rule:a"]["traces"] == 30
    assert told["edited"]["by_bucket"]["a"]["kept_traces"] == 0
    assert (told["unseen"], told["workers"]) == ({}, 0)
    assert not TracingRevision.objects.exists()
    assert send(operator, "post", "dry-run/", {"overrides": {"x": 1}}, status=400)["faults"][0]["path"] == "x"
    send(operator, "post", "dry-run/", {"overrides": {}, "traces": 5001}, status=400)


def test_a_test_span(operator: Client, settings: Any) -> None:
    assert "no collector" in send(operator, "post", "test-span/", status=409)["detail"]
    with otlp_receiver("grpc") as receiver:
        otlp = OtlpConfig(f"http://127.0.0.1:{receiver.port}", headers=(("x-token", "s3cr3t"),))
        settings.TRACING = TracingConfig("x", ExportConfig(otlp))
        told = send(operator, "post", "test-span/")

    assert told["is_accepted"]
    assert [step["name"] for step in told["steps"]] == ["resolve", "connect", "export"]
    assert [span.name for span in receiver.spans()] == ["tracing_check"]
    assert "s3cr3t" not in str(told)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [*CHANGES, ("post", "dry-run/", {"overrides": {}}), ("post", "test-span/", {})],
)
def test_who_may_not_change_them(method: str, path: str, body: dict[str, Any]) -> None:
    save_overrides({"sampling.ratio": 0.5}, by="ada")

    send(client_of("viewer"), method, path, body, status=403)

    assert current_overrides() == {"sampling.ratio": 0.5}


@pytest.mark.parametrize("path", ["settings/", "settings/revisions/"])
def test_who_may_not_see_them(path: str) -> None:
    send(client_of("nobody"), "get", path, status=403)
    assert Client().get(f"{BASE}/{path}").status_code == 401
