"""One request and its answer, as granian hands them over: messages of the ASGI specification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Future(Protocol):
    """What granian's futures offer."""

    def add_done_callback(self, callback: Callable[[Future], object], /) -> None: ...
    def result(self) -> Any: ...
    def done(self) -> bool: ...
    def cancel(self) -> bool: ...


class GranianProtocol(Protocol):
    def receive(self) -> Future: ...
    def send(self, message: dict[str, Any], /) -> Any: ...


class Watcher(Protocol):
    scope: dict[str, Any]
    proto: GranianProtocol

    def done(self) -> None: ...


class Exchange:
    """Holds granian's objects for one request, so that they can be let go of at a known moment.

    granian closes a connection whose body is unread when the last reference to these objects goes. A
    traceback somewhere could keep that for long, so nothing else refers to them.
    """

    __slots__ = ("_protocol", "_watcher")

    def __init__(self, watcher: Watcher) -> None:
        self._watcher: Watcher | None = watcher
        self._protocol: GranianProtocol | None = watcher.proto

    @property
    def scope(self) -> dict[str, Any]:
        """The connection scope of the ASGI specification; empty once finished."""
        return {} if self._watcher is None else self._watcher.scope

    def receive(self) -> Future:
        """The next message of the request. Raises ConnectionAbortedError once released."""
        if self._protocol is None:
            raise ConnectionAbortedError("the request is over")
        return self._protocol.receive()

    def send(self, message: dict[str, Any]) -> Any:
        """Send a message of the answer; a Future when the client has to take some of it first."""
        if self._protocol is None:
            raise ConnectionAbortedError("the request is over")
        return self._protocol.send(message)

    def finish(self) -> None:
        """Tell granian that the application is done: it answers 500 when nobody answered."""
        if self._watcher is not None:
            self._watcher.done()
            self._watcher = None

    def release(self) -> None:
        """Finish, and let go: the connection closes unless the whole body was received."""
        self.finish()
        self._protocol = None
