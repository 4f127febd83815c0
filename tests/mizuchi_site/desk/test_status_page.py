"""The first page, as it is made before a script refreshes it."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.db.models import F
from django.test import Client

from mizuchi_site.desk.number_text import NONE
from mizuchi_site.models import WorkerReport
from mizuchi_site.workers.report import current_report, write_report
from tests.mizuchi_site.members import client_of
from uploads.s3.operations import Operation
from uploads.statistics.recorder import RequestRecorder
from uploads.statistics.slots import write_slots

pytestmark = pytest.mark.django_db

PAGE = "/admin/status/"
SITE = Path(__file__).parents[3] / "mizuchi_site"
TEMPLATES = sorted((SITE / "templates" / "desk" / "status").glob("*.html"))


@pytest.fixture
def worker() -> RequestRecorder:
    """Somebody who has counted something, and has told so."""
    recorder = RequestRecorder(lambda: time.time() - 60)
    for status in (200, 200, 403, 500):
        recorder.count("uploads", Operation.PUT_OBJECT, status, 0.02, 1024, (0.005, 0.01))
    recorder.enter(object(), "uploads")
    write_slots(recorder, "node-a:7:1")
    report = current_report(recorder)
    report.worker, report.node, report.pid = "node-a:7:1", "node-a", 7
    report.tracing = {"export": {"state": "spooling", "breaker": "open", "last_error": "refused by <host>"}}
    report.engines = [
        {"engine": "opa", "endpoint": "127.0.0.1:8181", "breaker": "open", "buckets": ["uploads"]}
    ]
    write_report(report)
    return recorder


class Rows(HTMLParser):
    """The texts of table rows, but for those that scripts copy."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_template = False
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._is_template |= tag == "template"
        self._in_cell |= tag in ("td", "th")
        if not self._is_template and tag == "tr":
            self.rows.append([])
        elif not self._is_template and tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_template &= tag != "template"
        self._in_cell &= tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell and not self._is_template:
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())


def page(client: Client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def row(text: str, first: str) -> list[str]:
    parser = Rows()
    parser.feed(text)
    (found,) = (cells for cells in parser.rows if cells and cells[0] == first)
    return found


def figure(text: str, field: str) -> str:
    found = re.search(rf'data-field="{re.escape(field)}"[^>]*>([^<]*)<', text)
    assert found, field
    return found[1]


def test_it_is_the_first_page(worker: RequestRecorder) -> None:
    client = client_of("viewer")
    text = page(client, "/admin/")

    assert figure(text, "figures.requests") == "4"
    assert re.search(r'<a href="/admin/status/" aria-current="page">Status</a>', text)


@pytest.mark.parametrize(("role", "status"), [("viewer", 200), ("nobody", 403)])
def test_who_may_see_it(role: str, status: int) -> None:
    assert client_of(role).get(PAGE).status_code == status


def test_figures(worker: RequestRecorder) -> None:
    text = page(client_of("viewer"))

    assert {
        name: figure(text, name)
        for name in (
            "figures.uploads",
            "figures.client_errors",
            "figures.success_share",
            "figures.server_error_share",
            "figures.bytes_received",
            "figures.receive_wait_ms",
            "figures.backend_wait_ms",
            "in_flight",
        )
    } == {
        "figures.uploads": "2",
        "figures.client_errors": "1",
        "figures.success_share": "50.0 %",
        "figures.server_error_share": "25.0 %",
        "figures.bytes_received": "4.0 KiB",
        "figures.receive_wait_ms": "5.0 ms",
        "figures.backend_wait_ms": "10.0 ms",
        "in_flight": "1",
    }


def test_tables(worker: RequestRecorder) -> None:
    text = page(client_of("viewer"))

    bucket = row(text, "uploads")
    assert (bucket[1:5], bucket[-1]) == (["2", "4", "1", "1"], "1")
    assert row(text, "database")[:3] == ["database", "ok", "sqlite"]
    assert row(text, "opa 127.0.0.1:8181")[1:3] == ["uploads", "open"]
    assert row(text, "node-a")[:4] == ["node-a", "7", "at work", "1"]
    assert "spooling" in text
    assert "refused by &lt;host&gt;" in text


def test_a_worker_that_is_gone(worker: RequestRecorder) -> None:
    WorkerReport.objects.update(reported_at=F("reported_at") - timedelta(seconds=40))
    text = page(client_of("viewer"))

    assert row(text, "node-a")[2] == "gone"
    assert figure(text, "in_flight") == "0"


def test_a_quiet_gateway() -> None:
    text = page(client_of("viewer"))

    assert (figure(text, "figures.success_share"), figure(text, "figures.p50_ms")) == (NONE, NONE)
    assert "No worker has told of itself yet" in text


@pytest.mark.parametrize(("asked", "shown"), [("24h", "24h"), ("1h", "1h"), ("", "15m"), ("%00", "15m")])
def test_windows(asked: str, shown: str) -> None:
    text = page(client_of("viewer"), f"{PAGE}?window={asked}")

    assert f'data-window="{shown}"' in text
    assert f'<a href="?window={shown}" aria-current="true">' in text


def test_figures_lead_to_what_they_count(worker: RequestRecorder) -> None:
    text = page(client_of("viewer"))
    links = set(re.findall(r'href="(/admin/(?:uploads|traces)[^"]*\?[^"]+)"', text))

    uploads = "/admin/uploads/uploadrecord/?"
    assert {f"{uploads}state=FAILED", f"{uploads}bucket=uploads", "/admin/traces/?outcome=error"} <= links
    assert [link for link in links if link.startswith("/admin/traces/?slower_than_ms=")]


def test_a_script_finds_a_way_to_show_every_value() -> None:
    script = (SITE / "static" / "desk" / "status_values.js").read_text()
    formats = re.search(r"const FORMATS = \{(.*?)\n\};", script, re.DOTALL)
    assert formats
    known = set(re.findall(r"^  (\w+)[:,]", formats[1], re.MULTILINE))
    wanted = {
        name
        for template in [*TEMPLATES, SITE / "templates" / "desk" / "status.html"]
        for name in re.findall(r'data-format="(\w+)"', template.read_text())
    }
    assert wanted <= known
    assert {"count", "duration", "tag"} <= wanted
