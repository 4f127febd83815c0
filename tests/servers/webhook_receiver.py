"""A receiver of webhooks as ``docs/webhooks.md`` has it, that keeps what it got and answers as it is told."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def documented_program() -> str:
    """The receiver of the documentation."""
    section = PAGE.read_text(encoding="utf-8").partition("## A receiver")[2]
    found = re.search(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@dataclass(frozen=True, slots=True)
class Received:
    headers: Mapping[str, str]
    path: str
    body: bytes
    event: Any


@dataclass
class WebhookReceiver:
    """``events`` are those whose signature held and that were taken; ``tries`` counts all. ``status`` other
    than 204 takes nothing; a ``gate`` that is clear keeps every try waiting."""

    port: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    events: list[Received] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=of-the-query"

    def wait(self, number: int, seconds: float = 20) -> list[Received]:
        """The events, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.events) >= number, seconds), "no event has arrived"
            return list(self.events)

    def wait_for_tries(self, number: int, seconds: float = 20) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.tries >= number, seconds), "nothing was tried"


def _handler(receiver: WebhookReceiver) -> type[Any]:
    module: dict[str, Any] = {"__name__": "documented"}
    with mock.patch.dict(os.environ, WEBHOOK_SECRET=SECRET):
        exec(compile(documented_program(), str(PAGE), "exec"), module)

    class Handler(module["Receiver"]):  # type: ignore[misc]
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.arrived:
                receiver.tries += 1
                status = receiver.status  # as it is now: who waits for the try may change it at once
                receiver.arrived.notify_all()
            receiver.gate.wait(30)
            event = module["verified"](self.headers, body)
            self.answer(status)
            if status < 300:
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver.arrived:
                    receiver.events.append(Received(headers, self.path, body, event))
                    receiver.arrived.notify_all()

        def end_headers(self) -> None:
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            super().end_headers()

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no fault of the receiver. What is signed otherwise has no answer."""


@contextmanager
def listening(receiver: WebhookReceiver) -> Iterator[WebhookReceiver]:
    """Serve on its port, a free one the first time."""
    with _Server(("127.0.0.1", receiver.port), _handler(receiver)) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()


@contextmanager
def webhook_receiver() -> Iterator[WebhookReceiver]:
    """One that takes everything that ``SECRET`` has signed."""
    receiver = WebhookReceiver()
    receiver.gate.set()
    with listening(receiver):
        yield receiver
