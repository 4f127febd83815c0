"""CORS rules as S3 evaluates them."""

from __future__ import annotations

import pytest

from uploads.s3.cors import CorsRule, actual_headers, preflight_headers

APP = "https://app.example.org"
NARROW = CorsRule((APP,), ("PUT",), ("Content-Type", "x-amz-*"), ("ETag", "x-amz-request-id"), 60)
ANY = CorsRule(("*",), ("GET",))


@pytest.mark.parametrize(
    ("pattern", "origin", "is_let"),
    [
        (APP, APP, True),
        (APP, APP + ".evil.example", False),
        ("https://*.example.org", APP, True),
        ("https://*.example.org", "https://example.org", False),
        ("https://*.example.org", "https://evil.example/.example.org", True),
        ("https://a*a", "https://a", False),
        ("http://127.0.0.1:*", "http://127.0.0.1:8000", True),
        ("*", "null", True),
    ],
)
def test_origins_may_have_a_star(pattern: str, origin: str, is_let: bool) -> None:
    assert CorsRule((pattern,), ("PUT",)).lets(origin, "PUT") is is_let


@pytest.mark.parametrize(
    ("asked", "is_let"),
    [("", True), ("content-type", True), ("X-Amz-Date, CONTENT-TYPE", True), ("authorization", False)],
)
def test_headers_are_compared_without_their_case(asked: str, is_let: bool) -> None:
    assert (preflight_headers([NARROW], APP, "PUT", asked) is not None) is is_let


def test_a_preflight_is_told_all_that_the_rule_says() -> None:
    assert preflight_headers([ANY, NARROW], APP, "PUT", "Content-Type") == {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "PUT",
        "Access-Control-Allow-Headers": "content-type",
        "Access-Control-Expose-Headers": "ETag, x-amz-request-id",
        "Access-Control-Max-Age": "60",
    }


def test_any_origin_is_answered_by_a_star_and_without_credentials() -> None:
    assert actual_headers([ANY], APP, "GET") == {"Access-Control-Allow-Origin": "*"}


@pytest.mark.parametrize(("origin", "method"), [(APP, "DELETE"), ("https://other.example", "PUT")])
def test_who_fits_no_rule_is_told_nothing(origin: str, method: str) -> None:
    assert actual_headers([NARROW, ANY], origin, method) is None
    assert preflight_headers([NARROW, ANY], origin, method, "") is None
