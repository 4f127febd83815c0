"""What happens around a request that Django's signals are not sent for."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.http import HttpResponse

from mizuchi_site import lean_exchange
from mizuchi_site.front_door import LeanHandler
from mizuchi_site.lean_exchange import LeanRequest, close_spent_connections


class Connection:
    checks = 0

    def close_if_unusable_or_obsolete(self) -> None:
        self.checks += 1


class Connections:
    """Of Django: those of a thread are made when the thread first asks."""

    def __init__(self) -> None:
        self.made: list[Connection] = []

    def all(self) -> list[Connection]:
        self.made.append(Connection())
        return self.made[-1:]


def in_a_new_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_each_thread_looks_after_its_own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_exchange, "connections", made := Connections())

    for _ in range(2):
        in_a_new_thread(lambda: [close_spent_connections() for _ in range(3)])

    assert [connection.checks for connection in made.made] == [3, 3]


def test_a_request_is_over_when_its_answer_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(lean_exchange, "close_spent_connections", lambda: said.append("connections"))

    def broken() -> None:
        raise RuntimeError("a closer's fault")

    def view(request: LeanRequest) -> HttpResponse:
        response = HttpResponse("done", headers={"ETag": '"e"'})
        response._resource_closers.extend([broken, lambda: said.append("closer")])  # type: ignore[attr-defined]
        return response

    started: list[Any] = []
    answer = LeanHandler(view, "")(
        {"REQUEST_METHOD": "PUT", "PATH_INFO": "/b/k"}, lambda *head: started.extend(head)
    )

    assert started[0] == "200 OK"
    assert ("ETag", '"e"') in started[1]
    assert b"".join(answer) == b"done"
    assert said == []
    answer.close()  # type: ignore[attr-defined]
    assert said == ["closer", "connections"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [("", "/"), ("/b/\xc3\xbc", "/b/ü"), ("/b/\xff", "/b/%FF"), ("/b//k", "/b//k")],
)
def test_a_path_is_read_as_django_reads_it(sent: str, read: str) -> None:
    environ = {"REQUEST_METHOD": "put", "PATH_INFO": sent}
    request = LeanRequest(environ)

    assert (request.method, request.path, request.path_info) == ("PUT", read, read)
    assert environ["PATH_INFO"] == sent
