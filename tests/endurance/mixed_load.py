"""A mixed load of signed requests: most are well, some fail on the gateway's side, some are slow."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Literal, NamedTuple, cast

from authz.sigv4.signing import sign_headers
from tests.e2e.span_tree import node as tree
from tests.endurance.load import LOST, Connection
from tests.endurance.node import ACCESS_KEY_ID, Node
from tests.endurance.sending import UNSIGNED

BODY = b"x" * 1024
KEYS = 500
CLIENTS = 2
SLOW_AT_ONCE = 32
PATIENCE_SECONDS = 60.0

Truth = Literal["healthy", "error", "slow"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: its share of all, the status of its answer, what it is for tail sampling, and the
    tree of its trace. Unless a GET of the bucket's location, it puts a small object."""

    name: str
    share: float
    bucket: str
    status: int
    truth: Truth
    tree: str
    is_location: bool = False
    is_forged: bool = False


_SIGNED = "INTERNAL auth.sigv4"
_WRITTEN = tree("INTERNAL upload.put_object", "INTERNAL file.write")
_ROOT = "SERVER PUT s3.PutObject"
PUT = Kind("put", 0.83, "files", 200, "healthy", tree(_ROOT, _SIGNED, _WRITTEN))
KINDS = (
    PUT,
    Kind(
        "location",
        0.10,
        "files",
        200,
        "healthy",
        tree("SERVER GET s3.GetBucketLocation", _SIGNED),
        is_location=True,
    ),
    Kind("forged signature", 0.05, "files", 403, "healthy", tree(_ROOT, _SIGNED), is_forged=True),
    Kind(
        "storage away",
        0.005,
        "remote",
        503,
        "error",
        tree(_ROOT, _SIGNED, tree("INTERNAL upload.put_object", "CLIENT S3.PutObject")),
    ),
    Kind(
        "policy engine away",
        0.005,
        "guarded",
        503,
        "error",
        tree(_ROOT, _SIGNED, "CLIENT authz.opa"),
    ),
    Kind("slow body", 0.01, "files", 200, "slow", PUT.tree),
)


class Sent(NamedTuple):
    """One request that was answered. ``status`` LOST: it was not."""

    kind: Kind
    status: int
    request_id: str


def plan_of(requests: int) -> list[Kind]:
    """So many requests, each kind by its share but one at least, in a random order, always the same."""
    plan = [kind for kind in KINDS[1:] for _ in range(max(round(kind.share * requests), 1))]
    plan += [PUT] * (requests - len(plan))
    random.Random(requests).shuffle(plan)
    return plan


@dataclass(frozen=True, slots=True)
class MixedClient:
    """One process of the client: ``connections`` kept alive, each slow request on one of its own."""

    number: int
    port: int
    secret: str = field(repr=False)
    plan: Sequence[Kind] = field(repr=False)
    connections: int
    slow_seconds: float

    def run(self, answered: Any) -> list[Sent]:
        """Every request of the plan; ``answered`` counts them."""
        plan = enumerate(self.plan)
        sent: list[Sent] = []
        slow: list[Future[Sent]] = []

        def quick_one() -> tuple[int, Kind] | None:
            for number, kind in plan:
                if kind.truth != "slow":
                    return number, kind
                slow.append(pool.submit(self._send_slowly, number, kind))
            return None

        with ThreadPoolExecutor(SLOW_AT_ONCE) as pool, DefaultSelector() as selector:
            for _ in range(self.connections):
                self._send_on(selector, KeptAlive(self.port, PATIENCE_SECONDS), quick_one())
            while selector.get_map():
                ready = selector.select(PATIENCE_SECONDS)
                assert ready, f"no answer for {PATIENCE_SECONDS:g} s"
                for key, _ in ready:
                    connection = cast(KeptAlive, key.fileobj)
                    status = connection.receive()
                    if status is None:
                        continue
                    selector.unregister(connection)
                    sent.append(Sent(key.data, status, connection.request_id if status != LOST else ""))
                    answered.value = len(sent)
                    if status == LOST or connection.is_last:
                        connection.sock.close()
                        connection = KeptAlive(self.port, PATIENCE_SECONDS)
                    self._send_on(selector, connection, quick_one())
        return sent + [each.result() for each in slow]

    def _send_on(
        self, selector: DefaultSelector, connection: KeptAlive, request: tuple[int, Kind] | None
    ) -> None:
        """The next request; without one the connection is done with."""
        if request is None:
            connection.sock.close()
            return
        number, kind = request
        connection.send(self._request(number, kind))
        selector.register(connection, EVENT_READ, kind)

    def _send_slowly(self, number: int, kind: Kind) -> Sent:
        """It pauses once the gateway asks for the body: what it takes to get there is no slow request."""
        request = self._request(number, kind, {"expect": "100-continue"})
        head, half = len(request) - len(BODY), len(request) - len(BODY) // 2
        connection = KeptAlive(self.port, PATIENCE_SECONDS)
        with closing(connection.sock):
            connection.send(request[:head])
            asked = connection.sock.recv(65536)
            assert asked == b"HTTP/1.1 100 Continue\r\n\r\n", asked
            connection.sock.sendall(request[head:half])
            time.sleep(self.slow_seconds)
            connection.sock.sendall(request[half:])
            while (status := connection.receive()) is None:
                pass
            return Sent(kind, status, connection.request_id if status != LOST else "")

    def _request(self, number: int, kind: Kind, more: Mapping[str, str] | None = None) -> bytes:
        method, body = ("GET", b"") if kind.is_location else ("PUT", BODY)
        path = f"/{kind.bucket}" if kind.is_location else f"/{kind.bucket}/{self.number}/{number % KEYS}"
        headers = {"host": f"127.0.0.1:{self.port}", "content-length": str(len(body)), **(more or {})}
        headers |= sign_headers(
            method=method,
            encoded_path=path,
            query=[("location", "")] if kind.is_location else [],
            headers=headers,
            payload_hash=UNSIGNED,
            access_key=ACCESS_KEY_ID,
            secret_key="forged" if kind.is_forged else self.secret,
            session_token=None,
            region="us-east-1",
            now=datetime.now(UTC),
        )
        lines = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
        target = f"{path}?location=" if kind.is_location else path
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n\r\n".encode() + body


class KeptAlive(Connection):
    """A connection that knows when the server wants to close it."""

    @property
    def is_last(self) -> bool:
        """Whether nothing may follow the answer received last."""
        return b"\r\nconnection: close\r\n" in self._answer.lower()


class MixedLoad:
    """The load as who started it sees it."""

    def __init__(self, pipes: Sequence[Pipe], counts: Sequence[Any]) -> None:
        self._pipes = pipes
        self._counts = counts

    @property
    def answered(self) -> int:
        """How many requests have ended, slow ones not counted."""
        return sum(count.value for count in self._counts)

    @property
    def is_over(self) -> bool:
        return all(pipe.poll() for pipe in self._pipes)

    def sent(self) -> list[Sent]:
        """Every request; waits for the end. Raises EOFError when a client has died."""
        return [each for pipe in self._pipes for each in pipe.recv()]


@contextmanager
def mixed_load(
    node: Node, plan: Sequence[Kind], *, connections: int, slow_seconds: float
) -> Iterator[MixedLoad]:
    """Begin to send the plan's requests from processes of their own. ``slow_seconds`` is how long a slow body
    pauses in its middle."""
    context = multiprocessing.get_context("spawn")
    pipes, counts, processes = [], [], []
    for number in range(CLIENTS):
        client = MixedClient(
            number,
            node.port,
            node.secret_access_key,
            plan[number::CLIENTS],
            connections // CLIENTS,
            slow_seconds,
        )
        ours, theirs = context.Pipe()
        count = context.Value("l", 0)
        process = context.Process(target=_run, args=(client, count, theirs), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        counts.append(count)
        processes.append(process)
    try:
        yield MixedLoad(pipes, counts)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _run(client: MixedClient, answered: Any, pipe: Pipe) -> None:
    pipe.send(client.run(answered))
    pipe.recv()  # who started it ends it
