from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mizuchi_site.front_door import FrontDoor, MadeWhenAsked


class Named:
    def __init__(self, name: str) -> None:
        self.name = name.encode()
        self.seen: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.seen = environ
        return [self.name]


@pytest.fixture
def door() -> FrontDoor:
    return FrontDoor(
        pages=Named("pages"),
        probes={"/readyz": Named("probe")},
        s3=Named("s3"),
        sts=Named("sts"),
        unknown_host=Named("unknown host"),
        domain="s3.example",
        allowed_hosts=["gateway", "[::1]", ".s3.example"],
        trusted_proxies=["10.0.0.0/8"],
    )


def ask(door: FrontDoor, path: str, **extra: Any) -> bytes:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "HTTP_HOST": "gateway",
        "REMOTE_ADDR": "192.0.2.1",
        **extra,
    }
    return b"".join(door(environ, None))


@pytest.mark.parametrize(
    ("path", "host", "answer"),
    [
        ("/admin/", "gateway", b"pages"),
        ("/admin", "gateway", b"pages"),
        ("/static/x.css", "gateway", b"pages"),
        ("/readyz", "gateway", b"probe"),
        ("/readyz/x", "gateway", b"pages"),
        ("/", "gateway", b"s3"),
        ("/uploads/admin/x", "gateway", b"s3"),
        ("/adminx/y", "gateway", b"s3"),
        ("/admin/x", "uploads.s3.example", b"s3"),
        ("/admin/x", "UPLOADS.S3.EXAMPLE:8080", b"s3"),
        ("/admin/x", "s3.example", b"pages"),
        ("/admin/x", "[::1]:8080", b"pages"),
        ("/admin/x", "GATEWAY:8080", b"pages"),
        ("/admin/x", "elsewhere.example", b"unknown host"),
        ("/static/x.css", "elsewhere.example", b"unknown host"),
        ("/admin/x", "gateway/elsewhere", b"unknown host"),
        ("/admin/x", "gateway@elsewhere", b"unknown host"),
        ("/admin/x", "", b"unknown host"),
        ("/readyz", "elsewhere.example", b"probe"),
        ("/bucket/x", "elsewhere.example", b"s3"),
    ],
)
def test_who_answers(door: FrontDoor, path: str, host: str, answer: bytes) -> None:
    assert ask(door, path, HTTP_HOST=host) == answer


def test_the_bytes_of_the_path_are_kept_from_django(door: FrontDoor) -> None:
    environ = {"PATH_INFO": "/b/\xc3\xbc\xff", "HTTP_HOST": "gateway"}

    list(door(environ, None))

    assert environ["mizuchi.path"] == b"/b/\xc3\xbc\xff"


@pytest.mark.parametrize(("peer", "is_believed"), [("192.0.2.1", False), ("10.1.2.3", True)])
def test_pages_believe_only_trusted_proxies(door: FrontDoor, peer: str, is_believed: bool) -> None:
    environ = {
        "PATH_INFO": "/admin/",
        "HTTP_HOST": "gateway",
        "REMOTE_ADDR": peer,
        "HTTP_X_FORWARDED_PROTO": "https",
    }

    list(door(environ, None))

    assert ("HTTP_X_FORWARDED_PROTO" in environ) == is_believed


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "path", "extra", "answer"),
    [
        ("POST", "/", {"CONTENT_TYPE": FORM}, b"sts"),
        ("POST", "/", {"CONTENT_TYPE": f"{FORM.upper()}; charset=utf-8"}, b"sts"),
        ("POST", "/", {"QUERY_STRING": "Action=AssumeRoleWithWebIdentity"}, b"sts"),
        ("POST", "/", {"CONTENT_TYPE": FORM, "HTTP_HOST": "s3.example"}, b"sts"),
        ("POST", "/", {}, b"s3"),
        ("POST", "/", {"CONTENT_TYPE": "multipart/form-data"}, b"s3"),
        ("GET", "/", {"QUERY_STRING": "Action=AssumeRoleWithWebIdentity"}, b"s3"),
        ("POST", "/uploads", {"CONTENT_TYPE": FORM}, b"s3"),
        ("POST", "/", {"CONTENT_TYPE": FORM, "HTTP_HOST": "uploads.s3.example"}, b"s3"),
    ],
)
def test_tokens_are_exchanged_at_the_root(
    method: str, path: str, extra: dict[str, str], answer: bytes, door: FrontDoor
) -> None:
    assert ask(door, path, REQUEST_METHOD=method, **extra) == answer


def test_what_is_made_when_asked_is_made_once_by_threads_that_ask_at_once() -> None:
    made: list[Named] = []
    together = threading.Barrier(4)

    def make() -> Named:
        made.append(Named("pages"))
        return made[-1]

    pages = MadeWhenAsked(make)
    assert made == []

    def ask(_: int) -> bytes:
        together.wait(10)
        return b"".join(pages({}, lambda *_: None))

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(4))) == {b"pages"}
    assert len(made) == 1


def test_what_could_not_be_made_is_tried_again() -> None:
    outcomes: list[Exception | Named] = [RuntimeError("not yet"), Named("pages")]

    def make() -> Named:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    pages = MadeWhenAsked(make)
    with pytest.raises(RuntimeError, match="not yet"):
        pages({}, lambda *_: None)
    assert b"".join(pages({}, lambda *_: None)) == b"pages"
