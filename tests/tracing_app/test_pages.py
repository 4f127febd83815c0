from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.urls import ResolverMatch

from tracing_app.page_span import shown_path

OBJECT = "admin/auth/user/<path:object_id>/change/"
UUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("route", "path", "expected"),
    [
        ("admin/", "/admin/", "/admin/"),
        ("health/tracing", "/health/tracing", "/health/tracing"),
        (OBJECT, "/admin/auth/user/12/change/", "/admin/auth/user/12/change/"),
        (OBJECT, f"/admin/auth/user/{UUID}/change/", f"/admin/auth/user/{UUID}/change/"),
        (OBJECT, "/admin/auth/user/alice@example.org/change/", "/admin/auth/user/*/change/"),
        (OBJECT, "/admin/auth/user/a/b/change/", "/admin/auth/user/*/*/change/"),
        (OBJECT, f"/admin/auth/user/{'1' * 21}/change/", "/admin/auth/user/*/change/"),
        ("admin/(?P<url>.*)$", "/admin/alice@example.org/x", "/admin/*/*"),
    ],
    ids=["literal", "no slash", "number", "uuid", "e-mail", "more segments", "long number", "whatever"],
)
def test_the_path_shows_the_route_and_ids_of_objects(route: str, path: str, expected: str) -> None:
    assert shown_path(path, ResolverMatch(lambda request: HttpResponse(), (), {}, route=route)) == expected
