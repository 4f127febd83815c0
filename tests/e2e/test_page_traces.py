"""Traces of the admin and other pages, as a real OTLP receiver gets them from the running gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.e2e.gateway import MANAGE, is_ready
from tests.e2e.traced import attributes
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.process import free_ports, running_server

TRACE, PARENT = "5bf92f3577b34da6a3ce929d0e0e4736", "20f067aa0ba902b7"
CANARY = "cana-ry-1618"
PASSWORD = f"{CANARY}-password"
LOGIN = "/admin/login/"


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway as ``make run`` sets it up, whose traces go to ``receiver``."""

    url: str
    log: Path
    receiver: OtlpReceiver

    def span_of(self, answer: httpx.Response) -> Span:
        """The one span of the trace that the answer names, once it has arrived."""
        _, trace_id, span_id, _ = answer.headers["traceresponse"].split("-")
        spans = arrived(lambda: [each for each in self.receiver.spans() if each.trace_id.hex() == trace_id])
        (span,) = spans
        assert (span.span_id.hex(), span.kind) == (span_id, Span.SPAN_KIND_SERVER)
        return span


def arrived(find: Callable[[], list[Span]]) -> list[Span]:
    deadline = time.monotonic() + 10
    while not (found := find()):
        assert time.monotonic() < deadline, "the trace has not arrived"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pages")
    config = folder / "config.yaml"
    (port,) = free_ports(1)
    environment = {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(config),
        "MIZUCHI_VAR": str(folder / "var"),
        "DJANGO_SUPERUSER_USERNAME": CANARY,
        "DJANGO_SUPERUSER_EMAIL": f"{CANARY}@example.org",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    with otlp_receiver("http/protobuf") as receiver:
        otlp = {"endpoint": receiver.endpoint, "protocol": "http/protobuf"}
        config.write_text(json.dumps({"tracing": {"otlp": otlp, "batch": {"scheduled_delay_millis": 100}}}))
        for command in (["setup_dev"], ["createsuperuser", "--no-input"]):
            subprocess.run([sys.executable, MANAGE, *command], env=os.environ | environment, check=True)
        with running_server(
            [sys.executable, MANAGE, "serve", "--bind", f"127.0.0.1:{port}"],
            log=folder / "log",
            is_ready=lambda: is_ready(port),
            environment=environment,
        ):
            yield Site(f"http://127.0.0.1:{port}", folder / "log", receiver)


@pytest.fixture
def anybody(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, headers={"User-Agent": CANARY}) as client:
        yield client


@pytest.fixture
def admin(anybody: httpx.Client) -> httpx.Client:
    anybody.get(LOGIN)
    form = {"username": CANARY, "password": PASSWORD, "csrfmiddlewaretoken": anybody.cookies["csrftoken"]}
    assert anybody.post(LOGIN, data=form, params={"next": f"/admin/?{CANARY}"}).status_code == 302
    return anybody


@pytest.mark.parametrize(
    ("path", "status", "name", "shown"),
    [
        ("/admin/", 200, "GET /admin/", "/admin/"),
        (
            f"/admin/authz/accesskey/?q={CANARY}",
            200,
            "GET /admin/authz/accesskey/",
            "/admin/authz/accesskey/",
        ),
        (
            f"/admin/authz/accesskey/{CANARY}/change/",
            302,
            "GET /admin/authz/accesskey/<path:object_id>/change/",
            "/admin/authz/accesskey/*/change/",
        ),
        ("/admin/authz/accesskey/0/change/", 302, None, "/admin/authz/accesskey/0/change/"),
        (f"/admin/{CANARY}/", 404, "GET /admin/(?P<url>.*)$", "/admin/*/"),
        ("/health/tracing", 200, "GET /health/tracing", "/health/tracing"),
        (f"/health/{CANARY}", 404, "GET", None),
    ],
    ids=["index", "search", "text for an id", "id", "no such page", "statistics", "no route"],
)
def test_a_page_is_a_span_named_by_its_route(
    site: Site, admin: httpx.Client, path: str, status: int, name: str | None, shown: str | None
) -> None:
    answer = admin.get(path)

    span = site.span_of(answer)
    assert answer.status_code == status
    assert name in (None, span.name)
    assert attributes(span).get("url.path") == shown
    assert attributes(span)["http.response.status_code"] == status
    assert span.status.code == Status.STATUS_CODE_UNSET


def test_a_trace_that_comes_in_goes_on(site: Site, anybody: httpx.Client) -> None:
    answer = anybody.get(LOGIN, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})

    span = site.span_of(answer)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)


def test_a_host_that_is_not_ours_is_a_span_and_one_line(site: Site, anybody: httpx.Client) -> None:
    logged = site.log.stat().st_size

    answer = anybody.get(LOGIN, headers={"Host": f"{CANARY}.example"})

    span = site.span_of(answer)
    assert answer.status_code == 400
    assert attributes(span)["http.response.status_code"] == 400
    assert span.status.code == Status.STATUS_CODE_UNSET
    (line,) = (each for each in site.log.read_text()[logged:].splitlines() if "gateway_server" not in each)
    assert "server.allowed_hosts" in line


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/static/admin/css/base.css"])
def test_probes_and_static_files_are_not_traced(anybody: httpx.Client, path: str) -> None:
    answer = anybody.get(path)

    assert answer.status_code == 200
    assert "traceresponse" not in answer.headers


def test_nothing_personal_is_exported_or_logged(site: Site, admin: httpx.Client) -> None:
    admin.get("/admin/auth/user/", params={"q": f"{CANARY}@example.org"})
    admin.get(f"/admin/auth/user/{CANARY}/change/")
    admin.get("/health/tracing", auth=(CANARY, "wrong"))
    admin.post(LOGIN, data={"username": CANARY})
    admin.get(f"/admin/?{CANARY}", headers={"X-Forwarded-For": "203.0.113.9", "Referer": f"http://{CANARY}/"})
    last = admin.get("/admin/")
    site.span_of(last)

    exported = b"".join(request.SerializeToString() for request in site.receiver.requests)
    session = admin.cookies["sessionid"]
    for secret in (CANARY, PASSWORD, session, "203.0.113.9", "agent.original", "client.address", "url.query"):
        assert secret.encode() not in exported
    logged = site.log.read_text()
    assert [secret for secret in (PASSWORD, session, "203.0.113.9") if secret in logged] == []
