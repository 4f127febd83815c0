"""The contract of ``authz.policy.base.Engine`` as tests: the same class for every policy engine.

A subclass named ``Test...`` supplies these fixtures:

``proxy``   a ``FaultyProxy`` before the real engine
``build``   ``(timeout_seconds) -> Engine``: the engine under test, asked through the proxy

The real engine lets ``anne`` and the group ``staff`` put objects into ``uploads``, and nobody else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from authz.policy.base import Engine, EngineFailure
from authz.policy.http_pool import MAX_ANSWER_BYTES
from tests.authz.policy.questions import identity, question
from tests.servers.faulty_proxy import Answer, Break, Drip, FaultyProxy, Hang, Pass, Raw

Build = Callable[[float], Engine]
SHORT = 0.3
LONG = 10.0

GARBAGE = {
    "nothing": b"",
    "html": b"<html>welcome</html>",
    "a list": b"[]",
    "null": b"null",
    "a bare yes": b"true",
    "text for a result": b'{"result": "true", "allowed": "true"}',
    "numbers": b'{"result": 1, "allowed": 1}',
    "lists": b'{"result": [true], "allowed": [true]}',
    "null inside": b'{"result": null, "allowed": null}',
    "an object that is no decision": b'{"result": {"allowed": true}, "allow": true}',
    "text for allow": b'{"result": {"allow": "yes"}, "allowed": "yes"}',
    "a reason that is none": b'{"result": {"allow": true, "reason": 7}, "allowed": {}}',
    "cut off": b'{"result": true, "allowed": true',
    "two documents": b'{"result": true, "allowed": true}{}',
    "not UTF-8": b'{"result": true, "allowed": true, "x": "\xff\xfe"}',
    "too deep": b"[" * 60_000,
    "too large": b'{"result": true, "allowed": true, "x": "' + b"x" * MAX_ANSWER_BYTES + b'"}',
}
NOT_HTTP = {
    "nothing": b"",
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "status line cut off": b"HTTP/1.1",
    "body cut off": b'HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{"result": true, "allowed": true}',
    "chunk that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 2000 + b"\r\n{}",
    "a header without end": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000,
}
HOSTILE_NAMES = [
    "anne ",
    " anne",
    "Anne",
    "anne\n",
    "anne\0",
    "anne#writer",
    "user:anne",
    "x user:anne",
    "*",
    "user:*",
    "group:staff#member",
    'anne","relation":"writer',
    "anne%20",
    "%61nne",
    "ann\u0435",
    "a" * 3000,
    "{subject}",
    "../anne",
    "\U0001f600",
]


class PolicyEngineContract:
    """Every test of the contract. Subclass me."""

    @pytest.fixture
    def engine(self, build: Build) -> Iterator[Engine]:
        engine = build(LONG)
        yield engine
        engine.close()

    @pytest.fixture
    def hasty(self, build: Build) -> Iterator[Engine]:
        """The same with a short timeout."""
        engine = build(SHORT)
        yield engine
        engine.close()

    def test_who_may_is_allowed(self, engine: Engine) -> None:
        assert engine.ask(question("anne")).is_allowed

    def test_who_may_not_is_denied(self, engine: Engine) -> None:
        answer = engine.ask(question("bob"))

        assert not answer.is_allowed
        assert answer.reason

    def test_groups_count(self, engine: Engine) -> None:
        assert engine.ask(question("bob", groups=("staff",))).is_allowed
        assert not engine.ask(question("bob", groups=("staff ", "STAFF", "staff#member"))).is_allowed

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_no_subject_passes_for_another(self, engine: Engine, name: str) -> None:
        assert not engine.ask(question(name)).is_allowed

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_no_group_passes_for_another(self, engine: Engine, name: str) -> None:
        group = name.replace("anne", "staff")
        assert not engine.ask(question("bob", groups=(group,))).is_allowed

    @pytest.mark.parametrize("key", ["open\n/x", "b open/x", "#open/x", "open", "x/open/x", "%6fpen/x"])
    def test_no_key_passes_for_another(self, engine: Engine, key: str) -> None:
        assert engine.ask(question("bob", key="open/x")).is_allowed
        assert not engine.ask(question("bob", key=key)).is_allowed

    def test_a_bucket_as_a_whole_can_be_asked_about(self, engine: Engine) -> None:
        asked = {"key": None, "action": "s3:ListBucket", "operation": "HeadBucket", "size": None}

        assert engine.ask(question("anne", **asked)).is_allowed
        assert not engine.ask(question("bob", **asked)).is_allowed

    def test_the_request_id_is_no_part_of_what_is_remembered(self, engine: Engine) -> None:
        assert engine.cache_key(question(request_id="1")) == engine.cache_key(question(request_id="2"))

    @pytest.mark.parametrize(
        "other",
        [
            {"identity": identity("bob")},
            {"identity": identity(groups=("staff",))},
            {"identity": identity(groups=("staff", "other"))},
            {"bucket": "others"},
        ],
        ids=["subject", "group", "groups", "bucket"],
    )
    def test_another_question_is_another_key(self, engine: Engine, other: dict[str, Any]) -> None:
        assert engine.cache_key(question(**other)) != engine.cache_key(question())

    def test_killed(self, engine: Engine, proxy: FaultyProxy) -> None:
        assert engine.ask(question()).is_allowed
        proxy.stop()

        self.fails(engine, "connection_refused", is_outage=True)
        proxy.start()
        assert engine.ask(question()).is_allowed

    def test_hanging(self, hasty: Engine, proxy: FaultyProxy) -> None:
        proxy.behaviour = Hang()

        self.fails(hasty, "timeout", is_outage=True)
        assert len(proxy.seen) == 1, "an answer that is late is not asked for again"

    @pytest.mark.parametrize("behaviour", [Drip(), Drip(head=True)], ids=["body", "head"])
    def test_dripping(self, hasty: Engine, proxy: FaultyProxy, behaviour: Drip) -> None:
        proxy.behaviour = behaviour

        self.fails(hasty, "timeout", is_outage=True)

    def test_slow_and_in_time(self, engine: Engine, proxy: FaultyProxy) -> None:
        proxy.behaviour = Pass(seconds=0.5)

        assert engine.ask(question()).is_allowed

    def test_slow_and_too_late(self, hasty: Engine, proxy: FaultyProxy) -> None:
        proxy.behaviour = Pass(seconds=30)

        self.fails(hasty, "timeout", is_outage=True)

    @pytest.mark.parametrize(
        ("status", "is_outage"),
        [(500, True), (502, True), (503, True), (504, True), (429, True)]
        + [(status, False) for status in (201, 204, 301, 307, 400, 401, 403, 404, 409)],
    )
    def test_another_status(self, engine: Engine, proxy: FaultyProxy, status: int, is_outage: bool) -> None:
        yes = b"" if status == 204 else b'{"result": true, "allowed": true}'
        proxy.behaviour = Answer(status, yes, location=f"{proxy.endpoint}/elsewhere")

        self.fails(engine, f"http_{status}", is_outage=is_outage)
        assert len(proxy.seen) == 1, "redirects are not followed"

    @pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
    def test_garbage_is_no_yes(self, engine: Engine, proxy: FaultyProxy, body: bytes) -> None:
        proxy.behaviour = Answer(200, body)

        code = "answer_too_large" if len(body) > MAX_ANSWER_BYTES else "malformed_answer"
        self.fails(engine, code, is_outage=False)

    @pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP)
    def test_something_else_listens_there(self, engine: Engine, proxy: FaultyProxy, data: bytes) -> None:
        proxy.behaviour = Raw(data)

        with pytest.raises(EngineFailure) as failure:
            engine.ask(question())
        assert failure.value.code in {"connection", "not_http"}
        assert failure.value.is_outage

    def test_a_connection_that_breaks_is_tried_once_more(self, engine: Engine, proxy: FaultyProxy) -> None:
        proxy.behaviour = Break(1)
        assert engine.ask(question()).is_allowed
        assert len(proxy.seen) == 2

        proxy.behaviour = Break(2)
        self.fails(engine, "connection", is_outage=True)
        assert len(proxy.seen) == 4

    def test_connections_are_kept(self, engine: Engine, proxy: FaultyProxy) -> None:
        for _ in range(10):
            engine.ask(question())

        assert proxy.connections == 1

    def test_an_idle_connection_that_was_closed_is_no_failure(
        self, engine: Engine, proxy: FaultyProxy
    ) -> None:
        assert engine.ask(question()).is_allowed
        proxy.cut_idle()

        assert engine.ask(question()).is_allowed

    def test_many_at_once(self, engine: Engine, proxy: FaultyProxy) -> None:
        subjects = ["anne", "bob"] * 50
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda subject: engine.ask(question(subject)).is_allowed, subjects))

        assert answers == [True, False] * 50
        assert proxy.connections <= 8

    def fails(self, engine: Engine, code: str, *, is_outage: bool) -> None:
        """It does, in this way, and long before anybody gives up."""
        began = time.monotonic()
        with pytest.raises(EngineFailure) as failure:
            engine.ask(question("anne"))
        assert time.monotonic() - began < 5
        assert (failure.value.code, failure.value.is_outage) == (code, is_outage)
        assert "anne" not in str(failure.value)
