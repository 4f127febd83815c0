"""The ways in which a collector goes away under a running gateway, and how it comes back."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import grpc
import pytest

from tests.servers.certificates import Certificate, self_signed
from tests.servers.nameserver import Mood, Nameserver, running_nameserver
from tests.servers.otlp_receiver import (
    Accept,
    Behaviour,
    BlackHole,
    Fail,
    OtlpReceiver,
    Partial,
    Redirect,
    otlp_receiver,
)

Protocol = Literal["grpc", "http/protobuf"]
PROTOCOLS: tuple[Protocol, ...] = ("grpc", "http/protobuf")
HOST = "collector.test"


@dataclass(slots=True)
class Collector:
    """A receiver and what stands between it and the gateway: a name, a certificate, a full backlog."""

    receiver: OtlpReceiver
    folder: Path
    own: Certificate | None = None
    nameserver: Nameserver | None = None
    _held: list[socket.socket] = field(default_factory=list)

    @property
    def otlp(self) -> dict[str, Any]:
        """``tracing.otlp`` of a gateway that exports to it."""
        scheme, host = "https" if self.own else "http", HOST if self.nameserver else "127.0.0.1"
        otlp: dict[str, Any] = {
            "endpoint": f"{scheme}://{host}:{self.receiver.port}",
            "protocol": self.receiver.protocol,
        }
        return otlp | ({"tls": {"ca_file": str(self.own.certificate)}} if self.own else {})

    @property
    def run_by(self) -> list[str]:
        """What runs the gateway: with a name, in a mount namespace where the nameserver is the only one."""
        if self.nameserver is None:
            return []
        resolver = self.folder / "resolv.conf"
        resolver.write_text(f"nameserver {self.nameserver.address}\n")
        return ["unshare", "-m", "sh", "-c", f'mount --bind "{resolver}" /etc/resolv.conf && exec "$@"', "sh"]

    def behave(self, behaviour: Behaviour) -> None:
        """From now on; whoever waits in a black hole is let go."""
        self.receiver.behaviour = behaviour
        self.receiver.released.set()
        self.receiver.released = threading.Event()

    def restart(self) -> None:
        """Every connection ends; the port stays."""
        self.receiver.stop()
        self.receiver.start()

    def show(self, certificate: Certificate | None) -> None:
        self.receiver.tls = certificate
        self.restart()

    def resolve(self, mood: Mood) -> None:
        """What the nameserver does from now on; nobody stays connected to where the name once led."""
        assert self.nameserver
        self.nameserver.mood = mood
        if mood != "answers":
            self.restart()

    def hang_connects(self) -> None:
        """A listener whose backlog is full: the handshake of TCP does not even begin."""
        self.receiver.stop()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.receiver.port))
        listener.listen(0)
        self._held = [listener]
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            self._held.append(client)

    def accept_connects(self) -> None:
        for sock in self._held:
            sock.close()
        self._held = []
        self.receiver.start()


@dataclass(frozen=True, slots=True)
class Outage:
    """``begin`` and ``end`` it. ``keeps_all``: what is exported meanwhile arrives, then or later; otherwise
    the collector itself refuses it for good."""

    name: str
    begin: Callable[[Collector], None]
    end: Callable[[Collector], None] = lambda collector: collector.behave(Accept())
    keeps_all: bool = True
    protocols: tuple[Protocol, ...] = PROTOCOLS
    needs: Literal["nothing", "certificate", "nameserver"] = "nothing"


def _behaving(name: str, behaviour: Behaviour, **more: Any) -> Outage:
    return Outage(name, lambda collector: collector.behave(behaviour), **more)


def _show_another(collector: Collector) -> None:
    folder = collector.folder / "another"
    folder.mkdir(exist_ok=True)
    collector.show(self_signed(folder))


def _resolving(name: str, mood: Mood) -> Outage:
    return Outage(
        name,
        lambda collector: collector.resolve(mood),
        lambda collector: collector.resolve("answers"),
        needs="nameserver",
    )


OUTAGES = (
    Outage(
        "refused", lambda collector: collector.receiver.stop(), lambda collector: collector.receiver.start()
    ),
    _behaving("black hole", BlackHole()),
    Outage("unreachable", Collector.hang_connects, Collector.accept_connects),
    _behaving("slow", Accept(seconds=0.3)),
    _behaving("429", Fail(429, grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after="1")),
    _behaving("503", Fail(503, grpc.StatusCode.UNAVAILABLE)),
    _behaving("400", Fail(400, grpc.StatusCode.INVALID_ARGUMENT), keeps_all=False),
    _behaving("redirect", Redirect("http://127.0.0.1:9/"), keeps_all=False, protocols=("http/protobuf",)),
    _behaving("partial", Partial(2, "too long")),
    Outage("TLS wrong", _show_another, lambda collector: collector.show(collector.own), needs="certificate"),
    _resolving("DNS wrong", "denies"),
    _resolving("DNS hangs", "silent"),
)


@contextmanager
def collector_before(outage: Outage, protocol: Protocol, folder: Path) -> Iterator[Collector]:
    """A collector that is well, and can have that outage."""
    folder.mkdir(parents=True, exist_ok=True)
    own = self_signed(folder) if outage.needs == "certificate" else None
    with ExitStack() as stack:
        receiver = stack.enter_context(otlp_receiver(protocol, tls=own))
        named = outage.needs == "nameserver"
        nameserver = stack.enter_context(running_nameserver()) if named else None
        collector = Collector(receiver, folder, own, nameserver)
        try:
            yield collector
        finally:
            for sock in collector._held:
                sock.close()


def needs_mount_namespace() -> None:
    """Skip the test where this user may not have one."""
    unshare = shutil.which("unshare")
    if (
        os.geteuid() != 0
        or unshare is None
        or subprocess.run([unshare, "-m", "true"], check=False).returncode
    ):
        pytest.skip("a mount namespace of one's own needs root and CAP_SYS_ADMIN")
