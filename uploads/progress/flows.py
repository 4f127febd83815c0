"""The bodies that this process is receiving, as they are now, and the parts that came.

Nothing is counted for it on the path of a block: who asks reads the numbers that a body keeps of itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from types import TracebackType
from typing import Final, NamedTuple, Protocol

from uploads.body.verified import VerifiedBody

MAX_UPLOADS: Final = 10_000
"""Of how many multipart uploads parts are remembered that the database does not know of."""


class Parts(NamedTuple):
    """Parts of one upload that came; ``last_at`` is Unix time."""

    number: int
    received_bytes: int
    last_at: float

    def and_(self, more: Parts) -> Parts:
        return Parts(
            self.number + more.number,
            self.received_bytes + more.received_bytes,
            max(self.last_at, more.last_at),
        )


class Recorded(Protocol):
    """A record of an upload; in the database when it has a ``pk``."""

    pk: int | None


class Flow:
    """One body on its way: an object's, of the ``record``, or a part's, of the upload with
    ``upload_digest``. Its numbers change while it flows. ``began_at`` is Unix time."""

    __slots__ = ("_began", "_body", "began_at", "part_number", "record", "upload_digest")

    def __init__(
        self,
        body: VerifiedBody,
        began: float,
        began_at: float,
        *,
        record: Recorded | None = None,
        upload_digest: str = "",
        part_number: int | None = None,
    ) -> None:
        self._body = body
        self._began = began
        self.began_at = began_at
        self.record = record
        self.upload_digest = upload_digest
        self.part_number = part_number

    @property
    def received_bytes(self) -> int:
        """Of the payload."""
        return self._body.size

    @property
    def declared_bytes(self) -> int | None:
        """The length of the payload, if the client promised one."""
        return self._body.length

    @property
    def is_received(self) -> bool:
        """Has the last byte come? Then it is the storage that takes its time."""
        return bool(self._body.timeline.received_ns)

    def age_seconds(self, now: float) -> float:
        """By the clock of its ``Flows``."""
        return now - self._began


class _Listed:
    """A block in which a flow is one of those that are under way."""

    __slots__ = ("_flow", "_flows", "_number")

    def __init__(self, flows: dict[int, Flow], number: int, flow: Flow) -> None:
        self._flows = flows
        self._number = number
        self._flow = flow

    def __enter__(self) -> None:
        self._flows[self._number] = self._flow

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self._flows[self._number]


class Flows:
    """All of a process; thread-safe."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._numbers = count()
        self._flows: dict[int, Flow] = {}
        self._parts: dict[str, Parts] = {}
        self._parts_lock = threading.Lock()

    def object(self, record: Recorded, body: VerifiedBody) -> _Listed:
        """For a block in which ``body`` is received and stored as the object of that record."""
        return _Listed(
            self._flows,
            next(self._numbers),
            Flow(body, self._clock(), self._wall_clock(), record=record),
        )

    @contextmanager
    def part(self, upload_digest: str, part_number: int, body: VerifiedBody) -> Iterator[None]:
        """The same for a part, which is counted when it went well."""
        flow = Flow(
            body,
            self._clock(),
            self._wall_clock(),
            upload_digest=upload_digest,
            part_number=part_number,
        )
        with _Listed(self._flows, next(self._numbers), flow):
            yield
            self.add_parts({upload_digest: Parts(1, body.size, self._wall_clock())})

    def now(self) -> float:
        """By the clock of ages."""
        return self._clock()

    def current(self, *, older_than_seconds: float = 0.0) -> list[Flow]:
        """The bodies that are under way for at least so long."""
        now = self._clock()
        flows = self._flows.copy().values()  # in one step, whatever other threads do
        return [flow for flow in flows if flow.age_seconds(now) >= older_than_seconds]

    def take_parts(self) -> Mapping[str, Parts]:
        """The parts that came since the last time, by digest of their upload."""
        with self._parts_lock:
            taken, self._parts = self._parts, {}
        return taken

    def add_parts(self, parts: Mapping[str, Parts]) -> None:
        """Have them taken the next time: what came, or could not be written."""
        with self._parts_lock:
            for digest, came in parts.items():
                known = self._parts.get(digest)
                if known is not None:
                    self._parts[digest] = known.and_(came)
                elif len(self._parts) < MAX_UPLOADS:
                    self._parts[digest] = came


FLOWS: Final = Flows()
"""Those of this process."""
