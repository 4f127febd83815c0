"""The page of the history of tracing settings: what was changed, and the way back."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests.mizuchi_site.members import client_of
from tracing_app.live.revisions import current_overrides, save_overrides
from tracing_app.models import TracingRevision

pytestmark = pytest.mark.django_db

PAGE = "/admin/tracing/history/"


def shown(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html.unescape(answer.content.decode())))


def post(client: Client, action: str, revision: object) -> str:
    answer = client.post(PAGE, {"do": action, "revision": revision}, follow=True)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.fixture
def changed() -> None:
    one = {"name": "one", "when": "bucket = a", "keep": "always"}
    save_overrides({"sampling.ratio": 0.5, "sampling.rules": [one]}, by="ada", note="first of all")
    two = {"name": "two", "when": "", "keep": "1%"}
    save_overrides({"sampling.ratio": 0.5, "sampling.rules": [one, two]}, by="bob")


@pytest.mark.usefixtures("changed")
def test_who_changed_what_and_why() -> None:
    page = shown(client_of("viewer"))

    assert page.index("Revision 2 in force") < page.index("bob") < page.index("Revision 1")
    assert "sampling.rules 1 rule → became 2 rules" in page
    assert " one: always, when bucket = a" in page
    assert "+two: 1%, for all others" in page
    assert "first of all" in page
    assert "sampling.ratio as in the file → became 0.5" in page
    assert "Undo" not in page


@pytest.mark.usefixtures("changed")
def test_one_click_undoes_the_last_change() -> None:
    page = post(client_of("operator"), "undo", 2)

    assert "Revision 3 is saved (back to revision 1)" in page
    assert len(current_overrides()["sampling.rules"]) == 1
    assert LogEntry.objects.get().get_change_message() == "sampling.rules: 2 rules -> 1 rule"


@pytest.mark.usefixtures("changed")
def test_any_revision_can_be_restored_after_a_look() -> None:
    operator = client_of("operator")
    save_overrides({"enabled": False}, by="cy")

    page = shown(operator, f"{PAGE}?restore=1")
    assert "Back to revision 1?" in page
    assert "enabled off → became on (file)" in page
    assert current_overrides() == {"enabled": False}

    post(operator, "restore-1", 3)
    assert current_overrides() == TracingRevision.objects.get(pk=1).overrides


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize("revision", [1, 0, "", "x", -1])
@pytest.mark.parametrize("action", ["undo", "restore-1"])
def test_a_page_that_is_out_of_date_changes_nothing(action: str, revision: object) -> None:
    page = post(client_of("operator"), action, revision)

    assert "there is a newer revision" in page
    assert TracingRevision.objects.count() == 2


@pytest.mark.usefixtures("changed")
def test_what_is_no_revision_is_not_found() -> None:
    operator = client_of("operator")
    for action in ("restore-9", "restore-x", "", "restore-" + "9" * 40):
        assert operator.post(PAGE, {"do": action, "revision": 2}).status_code == 404
    assert operator.get(f"{PAGE}?restore=9").status_code == 404
    assert TracingRevision.objects.count() == 2


def test_a_revision_that_cannot_be_right_any_more_stays_where_it_is() -> None:
    TracingRevision.objects.create(overrides={"sampling.gone": 1}, changed_by="an earlier version")
    save_overrides({}, by="ada")

    page = post(client_of("operator"), "restore-1", 2)

    assert "cannot be right any more: sampling.gone" in page
    assert current_overrides() == {}


def test_nothing_to_undo() -> None:
    operator = client_of("operator")
    assert "Nothing was changed yet" in shown(operator)
    assert "there is no change to undo" in post(operator, "undo", 0)


def test_older_ones_are_on_further_pages() -> None:
    for number in range(1, 36):
        save_overrides({"sampling.ratio": number / 100}, by="ada")
    viewer = client_of("viewer")

    first = viewer.get(PAGE).content.decode()
    older = re.search(r'href="\?before=(\d+)" rel="next"', first)

    assert older is not None
    assert "Revision 6<" in first
    assert "Revision 5<" not in first
    second = viewer.get(f"{PAGE}?before={older[1]}").content.decode()
    assert "Revision 5<" in second
    assert "in force" not in second
    assert 'rel="next"' not in second


@pytest.mark.usefixtures("changed")
def test_who_may_not() -> None:
    assert client_of("viewer").post(PAGE, {"do": "undo", "revision": 2}).status_code == 403
    assert client_of("nobody").get(PAGE).status_code == 403
    assert TracingRevision.objects.count() == 2


@pytest.mark.usefixtures("changed")
def test_a_post_from_elsewhere_is_refused() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(client_of("operator").get(PAGE).wsgi_request.user)  # type: ignore[arg-type]

    assert strict.post(PAGE, {"do": "undo", "revision": 2}).status_code == 403
    assert TracingRevision.objects.count() == 2
