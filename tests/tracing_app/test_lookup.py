"""The resolver's part is played: what it does when it hangs is not to be had on every machine."""

from __future__ import annotations

import os
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tracing_app.deadline_http import Deadline, DeadlineConnection
from tracing_app.lookup import look_up

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


class Resolver:
    """Answers when ``answers`` is set."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked: list[str] = []
        self.result: Any = ANSWER

    def getaddrinfo(self, host: str, port: int, **_: Any) -> Any:
        self.asked.append(host)
        self.answers.wait(30)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    yield made
    made.answers.set()
    while any(thread.name == "mizuchi-lookup" for thread in threading.enumerate()):
        time.sleep(0.01)


def threads() -> int:
    return sum(thread.name == "mizuchi-lookup" for thread in threading.enumerate())


def test_names_and_addresses_are_looked_up() -> None:
    for host in ("localhost", "127.0.0.1", "::1"):
        assert {found[4][1] for found in look_up(host, 80, 3)} == {80}


def test_a_resolver_that_hangs_costs_the_deadline(resolver: Resolver) -> None:
    began = time.monotonic()
    with pytest.raises(socket.gaierror, match="did not answer in time"):
        look_up("hangs.test", 80, 0.2)
    assert time.monotonic() - began < 5


def test_who_asks_the_same_meanwhile_waits_for_the_same_answer(resolver: Resolver) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(look_up, "same.test", 80, 20) for _ in range(8)]
        while not resolver.asked:
            time.sleep(0.01)
        with pytest.raises(socket.gaierror):
            look_up("same.test", 80, 0.05)
        assert threads() == 1
        resolver.answers.set()
        assert [each.result() for each in asked] == [ANSWER] * 8
    assert len(resolver.asked) <= 8


@pytest.mark.parametrize(
    "error",
    [socket.gaierror(socket.EAI_NONAME, "not known"), UnicodeError("label too long")],
    ids=["unknown", "not a name"],
)
def test_what_the_resolver_says_is_raised(resolver: Resolver, error: Exception) -> None:
    resolver.result = error
    resolver.answers.set()
    with pytest.raises(socket.gaierror):
        look_up("no.test", 80, 5)


def test_the_next_question_is_a_new_one(resolver: Resolver) -> None:
    resolver.result = socket.gaierror(socket.EAI_NONAME, "not known")
    resolver.answers.set()
    with pytest.raises(socket.gaierror):
        look_up("later.test", 80, 5)
    resolver.result = ANSWER
    assert look_up("later.test", 80, 5) == ANSWER


def test_a_fork_leaves_the_parent_s_question_behind(resolver: Resolver) -> None:
    with pytest.raises(socket.gaierror):
        look_up("forked.test", 80, 0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            resolver.answers.set()
            status = 0 if look_up("forked.test", 80, 5) == ANSWER else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_without_a_thread_it_is_looked_up_all_the_same(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the interpreter ends, from Python 3.12 on."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    resolver.answers.set()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert look_up("ending.test", 80, 5) == ANSWER


def test_an_address_that_hangs_leaves_time_for_the_next(resolver: Resolver) -> None:
    """The first accepts no connections: its backlog is full."""
    resolver.answers.set()
    with socket.create_server(("127.0.0.1", 0)) as good, socket.socket() as full:
        full.bind(("127.0.0.2", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        resolver.result = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", s.getsockname()) for s in (full, good)]
        connection = DeadlineConnection("two.test", 80, None)
        connection.deadline = Deadline(2)
        connection.connect()
        connection.discard()
        for filler in fillers:
            filler.close()


def test_the_last_error_is_told_when_no_address_answers(resolver: Resolver) -> None:
    resolver.answers.set()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        resolver.result = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", held.getsockname())] * 2
        connection = DeadlineConnection("none.test", 80, None)
        connection.deadline = Deadline(2)
        with pytest.raises(ConnectionRefusedError):
            connection.connect()
        connection.discard()
