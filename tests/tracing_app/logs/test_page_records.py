"""What Django logs of a request for a page has the route, not what the client wrote."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django.views.decorators.http import require_safe

from tracing_app.logs.page_records import WithoutClientText

ALICE = "alice@example.org"


@require_safe
def view(request: HttpRequest, how: str, name: str) -> HttpResponse:
    match how:
        case "missing":
            raise Http404(name)
        case "denied":
            raise PermissionDenied(name)
        case "suspicious":
            raise SuspiciousOperation(f"what is {name}")
        case "broken":
            raise RuntimeError(name)
    return HttpResponse(status=int(how))


urlpatterns = [path("pages/<str:how>/<str:name>/", view)]


@pytest.fixture
def filtered(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What a handler with the filter gets."""
    told = WithoutClientText()
    caplog.handler.addFilter(told)
    yield caplog
    caplog.handler.removeFilter(told)


@pytest.mark.parametrize(
    ("method", "address", "line"),
    [
        ("get", f"/pages/missing/{ALICE}/", "Not Found: pages/<str:how>/<str:name>/"),
        ("get", f"/pages/denied/{ALICE}/", "Forbidden (Permission denied): pages/<str:how>/<str:name>/"),
        ("get", f"/pages/broken/{ALICE}/", "Internal Server Error: pages/<str:how>/<str:name>/"),
        ("get", f"/pages/410/{ALICE}/", "Gone: pages/<str:how>/<str:name>/"),
        ("post", f"/pages/200/{ALICE}/", "Method Not Allowed (POST): pages/<str:how>/<str:name>/"),
        ("get", f"/pages/suspicious/{ALICE}/", "refused: pages/<str:how>/<str:name>/"),
        ("get", f"/{ALICE}", "Not Found: no page"),
        ("get", "/%0Aforged", "Not Found: no page"),
    ],
)
def test_a_page_is_told_by_its_route(
    method: str, address: str, line: str, filtered: pytest.LogCaptureFixture
) -> None:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], DEBUG=False):
        getattr(Client(raise_request_exception=False), method)(address)

    assert filtered.messages[0] == line
    assert ALICE not in "".join(filtered.messages)


@pytest.mark.parametrize(
    ("headers", "line"),
    [
        ({}, "Forbidden (CSRF cookie not set.): no page"),
        ({"HTTP_ORIGIN": f"https://{ALICE}"}, "Forbidden (Origin checking failed): no page"),
        ({"HTTP_REFERER": f"https://{ALICE}/"}, "Forbidden (Referer checking failed): no page"),
    ],
)
def test_a_forgery_is_told_without_where_it_came_from(
    headers: dict[str, str], line: str, filtered: pytest.LogCaptureFixture
) -> None:
    request = RequestFactory().post(f"/{ALICE}", secure=bool(headers), **headers)
    CsrfViewMiddleware(lambda request: HttpResponse()).process_view(request, view, (), {})

    assert filtered.messages == [line]


def test_other_records_are_left_as_they_are() -> None:
    for name, extra in (("uploads", {"request": object()}), ("django.request", {}), ("django.server", {})):
        record = logging.makeLogRecord({"name": name, "msg": "%s: %s", "args": ("a", ALICE), **extra})
        assert WithoutClientText().filter(record)
        assert record.getMessage() == f"a: {ALICE}"
