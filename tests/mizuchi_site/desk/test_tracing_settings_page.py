"""The page of the tracing settings: what it shows to whom, and what its form does."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests.mizuchi_site.members import client_of
from tests.servers.otlp_receiver import otlp_receiver, refused_port
from tests.tracing_app.live.kept_traces import keep_traces
from tracing_app.config import TracingConfig
from tracing_app.exporting.config import ExportConfig, OtlpConfig
from tracing_app.live.revisions import current_overrides, save_overrides
from tracing_app.models import TracingRevision

pytestmark = pytest.mark.django_db(databases=["default", "traces"])

PAGE = "/admin/tracing/"
AS_IN_FILE: dict[str, Any] = {
    "enabled": "on",
    "sampling_strategy": "parent_based",
    "sampling_ratio": "1.0",
    "sampling_errors": "on",
    "sampling_slow_request_ms": "2000",
    "sampling_max_traces_per_second": "",
    "note": "",
    "revision": "0",
}


@pytest.fixture
def operator() -> Client:
    return client_of("operator")


def typed(*rules: tuple[str, str, str], **fields: str | None) -> dict[str, Any]:
    """What a browser sends: unchecked boxes (None) are left out."""
    form = {name: value for name, value in (AS_IN_FILE | fields).items() if value is not None}
    names = ("rule_name", "rule_when", "rule_keep")
    return form | {name: [rule[index] for rule in rules] for index, name in enumerate(names)}


def send(client: Client, action: str, form: dict[str, Any]) -> str:
    answer = client.post(PAGE, form | {"do": action}, follow=True)
    assert answer.status_code == 200
    return text_of(answer.content)


def text_of(content: bytes) -> str:
    """With blanks as a browser shows them."""
    return re.sub(r"\s+", " ", html.unescape(content.decode()))


def shown(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def rule_names(page: str) -> list[str]:
    editor = page[page.index('id="rules"') : page.index('id="rule-template"')]
    return re.findall(r'name="rule_name" value="([^"]*)"', editor)


def test_what_is_in_force_and_where_it_comes_from() -> None:
    save_overrides({"sampling.ratio": 0.25}, by="ada", note="less")

    page = shown(text_of(client_of("viewer").get(PAGE).content))

    assert "Revision 1 by ada" in page
    assert "In force: 0.25 live by ada" in page
    assert "(revision 1). File: 1 (default)" in page
    assert "In force: parent_based (default)" in page
    assert "In force: 2000 ms (default)" in page
    assert "tracing.otlp.protocol" in page


def test_who_may_not_change_them_gets_no_form() -> None:
    viewer = client_of("viewer")
    assert 'id="settings"' not in viewer.get(PAGE).content.decode()

    assert viewer.post(PAGE, typed() | {"do": "save"}).status_code == 403
    assert Client().get(PAGE).status_code == 302


def test_a_change_is_saved_with_who_and_why(operator: Client) -> None:
    page = send(
        operator, "save", typed(("big", "bytes >= 1MiB", "always"), sampling_ratio="0.1", note="noise")
    )

    revision = TracingRevision.objects.get()
    assert revision.overrides == {
        "sampling.ratio": 0.1,
        "sampling.rules": [{"name": "big", "when": "bytes >= 1MiB", "keep": "always"}],
    }
    assert (revision.changed_by, revision.note) == ("operator-user", "noise")
    assert "Revision 1 is saved" in page
    entry = LogEntry.objects.get()
    assert entry.user.get_username() == "operator-user"
    assert entry.get_change_message() == (
        "sampling.ratio: as in the file -> 0.1; sampling.rules: as in the file -> 1 rule"
    )


def test_what_is_as_in_the_file_is_no_override(operator: Client) -> None:
    save_overrides({"sampling.ratio": 0.1, "sampling.errors": False}, by="ada")

    send(operator, "save", typed(sampling_errors=None, revision="1"))

    assert current_overrides() == {"sampling.errors": False}


def test_boxes_and_empty_fields_are_values(operator: Client) -> None:
    send(operator, "save", typed(enabled=None, sampling_errors=None, sampling_slow_request_ms=""))

    assert current_overrides() == {
        "enabled": False,
        "sampling.errors": False,
        "sampling.slow_request_ms": None,
    }


def test_nothing_changed_is_no_revision(operator: Client) -> None:
    assert "Nothing was changed" in send(operator, "save", typed())
    assert not TracingRevision.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["save", "preview"])
def test_what_is_wrong_is_told_at_its_field(operator: Client, action: str) -> None:
    rules = [("fine", "", "1%"), ("big", "bytes >= 1MiB and bucket =! a", "often")]

    page = send(operator, action, typed(*rules, sampling_ratio="1.5", sampling_slow_request_ms="soon"))

    assert not TracingRevision.objects.exists()
    ratio = re.search(r'<input[^>]*name="sampling_ratio"[^>]*>', page)
    assert ratio is not None
    assert 'value="1.5"' in ratio[0]
    assert 'aria-invalid="true"' in ratio[0]
    assert "must be a number from 0 to 1" in page
    assert "Enter a number." in page
    assert "'=!' is no operator" not in page
    assert '<code class="tracing-place">bytes >= 1MiB and bucket =<mark>!</mark> a</code>' in page
    assert 'aria-describedby="rule-2-faults"' in page
    assert "keep: 'often' must be always" in page
    assert 'id="rule-1-faults"' not in page


def test_the_editor_works_without_scripts(operator: Client) -> None:
    rules = [("a", "", "1%"), ("b", "bucket = b", "always"), ("c", "", "never")]

    assert rule_names(send(operator, "up-2", typed(*rules))) == ["b", "a", "c"]
    assert rule_names(send(operator, "down-2", typed(*rules))) == ["a", "c", "b"]
    assert rule_names(send(operator, "remove-2", typed(*rules))) == ["a", "c"]
    assert rule_names(send(operator, "add-rule", typed(*rules))) == ["a", "b", "c", ""]
    for impossible in ("up-1", "down-3", "remove-9", "up-x", "fly-1", "reset-nothing"):
        assert rule_names(send(operator, impossible, typed(*rules))) == ["a", "b", "c"]
    assert rule_names(send(operator, "reset-sampling.rules", typed(*rules))) == []
    assert not TracingRevision.objects.exists()


def test_a_key_goes_back_to_the_file_and_the_rest_stays_typed(operator: Client) -> None:
    save_overrides({"sampling.ratio": 0.1}, by="ada")

    page = send(operator, "reset-sampling.ratio", typed(sampling_ratio="0.1", note="why", revision="1"))

    assert re.search(r'name="sampling_ratio" value="1"', page)
    assert 'value="why"' in page
    assert current_overrides() == {"sampling.ratio": 0.1}


def test_a_preview_by_the_traces_that_are_kept(operator: Client) -> None:
    keep_traces("a", 30)
    keep_traces("b", 10)

    answer = send(operator, "preview", typed(("none of a", "bucket = a", "never")))

    page = shown(answer)
    assert "By the newest 40 traces that are kept here, which stand for about 40" in page
    assert "sampling.rules 0 rules (file) → became 1 rule" in page
    assert "25.0 %of all tracesnow 100 %" in page
    kept = re.findall(r'data-now="([0-9.]+)" data-edited="([0-9.]+)"><th scope="row">([^<]+)</th>', answer)
    assert [(name, float(now), float(edited)) for now, edited, name in kept] == [
        ("head (strategy)", 40, 10),
        ("rule none of a", 0, 0),
        ("a", 30, 0),
        ("b", 10, 10),
        ("PutObject", 40, 10),
    ]
    assert not TracingRevision.objects.exists()


def test_a_preview_without_traces_says_why(operator: Client, settings: Any) -> None:
    assert "No traces are kept on this machine yet" in send(operator, "preview", typed())
    settings.TRACING = TracingConfig("x", export=ExportConfig(OtlpConfig("http://127.0.0.1:4317")))
    assert "tracing.local_store is off" in send(operator, "preview", typed())


def test_two_at_once_and_nothing_is_lost(operator: Client) -> None:
    save_overrides({"sampling.ratio": 0.5}, by="ada", note="while you typed")

    page = send(operator, "save", typed(("mine", "", "1%"), sampling_errors=None, note="my reason"))

    assert current_overrides() == {"sampling.ratio": 0.5}
    assert "Somebody else has changed the settings meanwhile" in page
    assert "while you typed" in page
    assert re.search(r'name="sampling_ratio" value="0.5"', page)
    assert rule_names(page) == ["mine"]
    assert 'value="my reason"' in page
    (revision,) = re.findall(r'name="revision" value="(\d+)"[^>]*id="id_revision"', page)

    send(
        operator,
        "save",
        typed(("mine", "", "1%"), sampling_errors=None, sampling_ratio="0.5", revision=revision),
    )
    assert current_overrides() == {
        "sampling.ratio": 0.5,
        "sampling.errors": False,
        "sampling.rules": [{"name": "mine", "when": "", "keep": "1%"}],
    }


def test_what_both_changed_is_named(operator: Client) -> None:
    save_overrides({"sampling.ratio": 0.5}, by="ada")

    page = send(operator, "save", typed(sampling_ratio="0.2"))

    assert "Of sampling.ratio, which both changed, it has yours" in shown(page)
    assert re.search(r'name="sampling_ratio" value="0.2"', page)


def test_a_revision_that_cannot_be_right_is_told(operator: Client) -> None:
    TracingRevision.objects.create(overrides={"sampling.ratio": "a lot"}, changed_by="a later version")

    page = shown(text_of(operator.get(PAGE).content))

    assert "Revision 1 cannot be right" in page
    assert "sampling.ratio: must be a number" in page
    send(operator, "save", typed(sampling_ratio="0.5", revision="1"))
    assert current_overrides() == {"sampling.ratio": 0.5}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (TracingConfig("x", is_enabled=False), "tracing.enabled: false"),
        (TracingConfig("x"), "Traces have no place to go"),
    ],
)
def test_tracing_that_cannot_record_is_told(
    operator: Client, settings: Any, config: TracingConfig, reason: str
) -> None:
    settings.TRACING = config

    page = shown(text_of(operator.get(PAGE).content))

    assert "No request is recorded, whatever is set here" in page
    assert reason in page


def with_collector(settings: Any, port: int) -> None:
    otlp = OtlpConfig(f"http://127.0.0.1:{port}", timeout_seconds=2.0, headers=(("x-token", "s3cr3t"),))
    settings.TRACING = TracingConfig("x", ExportConfig(otlp))


def test_a_test_span_is_sent_and_what_was_typed_stays(operator: Client, settings: Any) -> None:
    with otlp_receiver("grpc") as receiver:
        with_collector(settings, receiver.port)
        page = send(operator, "test-span", typed(sampling_ratio="0.3"))

    assert [span.name for span in receiver.spans()] == ["tracing_check"]
    assert "The collector took the span" in page
    assert "s3cr3t" not in page
    assert 'name="sampling_ratio" value="0.3"' in page


def test_a_test_span_that_does_not_arrive_says_what_to_do(operator: Client, settings: Any) -> None:
    with refused_port() as port:
        with_collector(settings, port)
        page = send(operator, "test-span", typed())

    assert "The span did not arrive" in page
    assert "is the collector running" in page


def test_without_a_collector_there_is_no_button(operator: Client) -> None:
    assert "test-span" not in operator.get(PAGE).content.decode()
    assert "There is no collector" in send(operator, "test-span", typed())


def test_hostile_forms_are_answered(operator: Client) -> None:
    for form in (
        {},
        {"revision": "x"},
        {"rule_name": ["a", "b"], "rule_when": ["c"]},
        typed(revision="9" * 40),
    ):
        assert operator.post(PAGE, form | {"do": "save"}).status_code == 200
    assert not TracingRevision.objects.exists()
