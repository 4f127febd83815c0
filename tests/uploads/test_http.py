from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.environs import environ_for
from uploads.http import is_trusted, read_headers, request_parts


def environ(**extra: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "PUT",
        "mizuchi.path": b"/b/\xe2\x82\xac \xff",
        "QUERY_STRING": "x=%2F",
        "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "10.0.0.7",
        "HTTP_HOST": "gateway:8080",
        **extra,
    }


def test_the_path_is_the_bytes_the_client_sent() -> None:
    assert request_parts(environ()).path == b"/b/\xe2\x82\xac \xff"


def test_header_names_are_lower_case_with_dashes() -> None:
    parts = request_parts(environ(HTTP_X_AMZ_DATE="d", CONTENT_TYPE="t", CONTENT_LENGTH="1"))

    assert parts.headers["x-amz-date"] == "d"
    assert parts.headers["content-type"] == "t"
    assert parts.headers["content-length"] == "1"


def test_underscores_pass_in_user_metadata_only() -> None:
    raw = (("x-amz-meta-my_key", "v"), ("x_amz_date", "forged"))

    headers = request_parts(environ(**{"mizuchi.headers": raw})).headers

    assert headers["x-amz-meta-my-key"] == "v"
    assert "x-amz-date" not in headers


NAMES = (
    "content-type",
    "range",
    "x-amz-date",
    "x_amz_date",
    "x-amz-meta-a",
    "x-amz-meta-b_c",
)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "1", "b"])), max_size=6))
def test_headers_are_the_same_by_whichever_of_the_two_they_are_read(sent: list[tuple[str, str]]) -> None:
    """The environ's names, and the list of our server, which is read where that says the same."""
    lines = [f"{name}: {value}" for name, value in sent]
    environ = environ_for("\r\n".join(["PUT /b/k HTTP/1.1", "host: h", *lines, "", ""]).encode())

    headers = read_headers(environ)

    by_name = read_headers(environ | {"mizuchi.headers": ()})
    metadata = {n.replace("_", "-"): v for n, v in sent if "_" in n and n.startswith("x-amz-meta-")}
    assert headers == by_name | metadata


def test_metadata_names_are_kept_as_the_client_spelled_them() -> None:
    raw = (("x-amz-meta-my_key", "v"), ("x-amz-meta-a-b", "v"), ("x-amz-date", "d"))

    assert request_parts(environ(**{"mizuchi.headers": raw})).metadata_names == (
        "x-amz-meta-my_key",
        "x-amz-meta-a-b",
    )


@pytest.mark.parametrize(
    ("proxies", "host", "scheme"),
    [
        ((), "gateway:8080", "http"),
        (("10.0.0.8",), "gateway:8080", "http"),
        (("10.0.0.7",), "s3.example", "https"),
        (("10.0.0.0/8",), "s3.example", "https"),
    ],
    ids=["none configured", "another", "exact", "network"],
)
def test_forwarded_headers_count_from_trusted_proxies_only(
    proxies: tuple[str, ...], host: str, scheme: str
) -> None:
    forwarded = {"HTTP_X_FORWARDED_HOST": "s3.example, inner", "HTTP_X_FORWARDED_PROTO": "https"}

    parts = request_parts(environ(**forwarded), proxies)

    assert (parts.host, parts.scheme) == (host, scheme)


def test_a_peer_without_an_address_is_not_trusted() -> None:
    assert not is_trusted("unix", ("0.0.0.0/0",))
