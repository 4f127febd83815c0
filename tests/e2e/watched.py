"""A gateway whose traces, logs and records of traces are searched for canaries.

Its storages fail in all the ways that storages do, and say too much when they do.
"""

from __future__ import annotations

import base64
import secrets
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from tests.e2e.gateway import FILES, LIMITED, LIMITS, SEAWEED, Gateway, running_gateway
from tests.e2e.wire.canaries import CLIENT, CORE, PERSON, Needles, planted
from tests.e2e.wire.client import Answer, Request, connected
from tests.e2e.wire.scene import BODY, Scene
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.scripted import Peer, ScriptedServer, content_length, scripted_server
from tests.servers.seaweedfs import SeaweedFS

ODD, GONE, DJANGO = "odd-upstream", "gone-upstream", "django"
KEY = f"{PERSON}/{CORE} of a person.txt"
#: What an upstream answers that refuses: the status line, its headers and the error document.
ERRORS = {
    "500": ("InternalError", f"cannot write {PERSON}"),
    "503": (CORE, f"{PERSON} is slow"),
    "403": (
        "AccessDenied",
        f'User: arn:aws:iam::1:user/{CORE} may not s3:PutObject on "arn:aws:s3:::b/{KEY}"',
    ),
    "400": (f"Bad{CORE}", f"{PERSON} is bad"),
    "404": ("NoSuchBucket", f"{CORE} is not here"),
    "301": ("PermanentRedirect", f"go to {CORE}"),
}


class Watched:
    """The gateway under test, who receives its traces, and what must not be found there."""

    def __init__(self, gateway: Gateway, receiver: OtlpReceiver, folder: Path, gone: ExitStack) -> None:
        """``gone`` ends, when it is closed, the upstream that goes away."""
        self.gateway = gateway
        self.gone = gone
        self.receiver = receiver
        self.needles = Needles({gateway.secret_access_key.encode(), gateway.neighbour_secret.encode(), BODY})
        self.statuses: list[int] = []
        self._folder = folder
        self._sent = self._exported = self._logged = 0
        self._unseen: list[str] = []

    def scene(self, bucket: str) -> Scene:
        key = f"a.{CORE}/object" if bucket == LIMITED else KEY
        return Scene(self.gateway, bucket, key=f"{key}.{secrets.token_hex(4)}")

    def send(self, request: Request, *, is_cut: bool = False, source: str = CLIENT) -> Answer | None:
        """Send it with more canaries, from an address that must not be found either."""
        self._sent += 1
        request = planted(request, number=self._sent)
        self.needles.note(request)
        with connected(self._port, source) as connection:
            connection.send(request.head() + request.body)
            if is_cut:
                connection.end()
            answer = connection.answer(request.method)
        if answer is not None:
            self.statuses.append(answer.status)
            if context := answer.headers.get("traceresponse"):
                self._unseen.append(context.split("-")[1])
        return answer

    def check(self) -> None:
        """Nothing is found in what came since the last time, once the traces of all answers have arrived."""
        deadline = time.monotonic() + 20
        missing = set(self._unseen)
        while missing := missing - {f"{trace_id:032x}" for trace_id in self.receiver.trace_ids()}:
            assert time.monotonic() < deadline, f"{len(missing)} traces have not arrived"
            time.sleep(0.1)
        self._unseen.clear()
        requests = [*self.receiver.requests, *self.receiver.log_requests]
        new = {
            "exported": b"".join(request.SerializeToString() for request in requests[self._exported :]),
            "export headers": repr((self.receiver.headers, self.receiver.paths)).encode(),
            "log": self.gateway.log.read_bytes()[self._logged :],
        }
        self._exported, self._logged = len(requests), self._logged + len(new["log"])
        new |= {path.name: path.read_bytes() for path in self.kept()}
        new["metrics"] = self._metrics()
        leaks = [f"{place}: {leak}" for place, data in new.items() for leak in self.needles.found_in(data)]
        assert not leaks, "\n".join(leaks)

    def _metrics(self) -> bytes:
        """What ``/metrics`` shows, examples included."""
        head = {"Accept": "application/openmetrics-text; version=1.0.0"}
        with urlopen(HttpRequest(f"{self.gateway.endpoint}/metrics", headers=head)) as answer:
            shown: bytes = answer.read()
        return shown

    def kept(self) -> list[Path]:
        """The files of the local store of traces."""
        return [*(self._folder / "var").glob("traces*")]

    @property
    def _port(self) -> int:
        return int(self.gateway.endpoint.rpartition(":")[2])


def odd_upstream(peer: Peer, number: int) -> None:
    """An S3 service that begins multipart uploads, and fails whatever the key's end says it fails."""
    while head := peer.read_head():
        line = head.partition(b"\r\n")[0].decode("latin-1")
        method, target, _ = line.split(" ")
        if b"100-continue" not in head.lower():
            peer.read_body(content_length(head))
        fault = urllib.parse.urlsplit(target).path.rpartition(".")[2]
        if method == "HEAD" and fault not in ERRORS:
            peer.answer()
        elif method == "POST" and "uploads" in target:
            peer.answer(
                body=b"<InitiateMultipartUploadResult><UploadId>odd</UploadId></InitiateMultipartUploadResult>"
            )
        elif fault == "reset":
            return peer.reset()
        elif fault == "garbage":
            return peer.sock.sendall(f"{PERSON} {CORE}\r\n\r\n".encode())
        elif fault == "html":
            peer.answer(body=f"<html>{PERSON}".encode(), headers="")
        else:
            code, message = ERRORS.get(fault, ERRORS["500"])
            headers = (
                f"Server: {CORE}\r\nx-amz-id-2: {PERSON}\r\nx-amz-request-id: {PERSON}\r\n"
                f"Location: https://{CORE}@elsewhere.example.org/{CORE}\r\n"
            )
            document = (
                f"<Error><Code>{code}</Code><Message>{message}</Message><Key>{KEY}</Key>"
                f"<RequestId>{CORE}</RequestId><HostId>{CORE}</HostId></Error>"
            )
            peer.answer(f"{fault} {CORE}" if fault in ERRORS else "500 X", headers, document.encode())


FAULTS = [*ERRORS, "reset", "garbage", "html"]


def keys_of(secret: str, neighbour_secret: str) -> dict[str, Any]:
    def key(name: str, secret: str, principal: str, buckets: list[str]) -> dict[str, Any]:
        return {
            "access_key_id": name,
            "secret_access_key": secret,
            "principal": principal,
            "buckets": buckets,
        }

    return {
        "access_keys": [
            key("AKENDTOEND", secret, f"alice.{PERSON}", ["*"]),
            key("AKNEIGHBOUR", neighbour_secret, f"bob.{PERSON}", [FILES, SEAWEED]),
        ]
    }


def storages_of(
    folder: Path,
    seaweedfs: SeaweedFS,
    target: str,
    odd: ScriptedServer,
    gone: ScriptedServer,
    webhook: dict[str, Any],
) -> dict[str, Any]:
    def s3(endpoint: str, access_key: str, secret_key: str) -> dict[str, Any]:
        timeouts = {"connect_timeout_seconds": 1, "read_timeout_seconds": 5}
        keys = {"access_key": access_key, "secret_key": secret_key}
        return {"backend": "s3", "endpoint": endpoint, "region": "us-east-1", **keys, **timeouts}

    return {
        "storages": {
            "disk": {"backend": "filesystem", "location": str(folder / "objects")},
            "upstream": s3(seaweedfs.endpoint, seaweedfs.access_key, seaweedfs.secret_key),
            "odd": s3(odd.endpoint, f"AK{CORE.upper()}", f"{CORE}-of-the-upstream"),
            "gone": s3(gone.endpoint, f"AK{CORE.upper()}", f"{CORE}-of-the-upstream"),
            "django": {
                "backend": "tests.e2e.odd_storages.FailingStorage",
                "options": {"location": str(folder / "django")},
                "staging": str(folder / "staging"),
            },
        },
        "buckets": [
            {"name": FILES, "storage": "disk", "webhooks": [webhook]},
            {"name": LIMITED, "storage": "disk", "limits": LIMITS},
            {"name": SEAWEED, "storage": "upstream", "target": target},
            {"name": ODD, "storage": "odd"},
            {"name": GONE, "storage": "gone"},
            {"name": DJANGO, "storage": "django"},
        ],
    }


def odd_receiver(peer: Peer, number: int) -> None:
    """A receiver of webhooks that refuses, and says too much."""
    while (asked := peer.read_request()) and asked[0]:
        peer.answer(f"503 {CORE}", f"Location: https://{CORE}@{CORE}.example.org/\r\n", PERSON.encode())


def webhook_at(receiver: ScriptedServer) -> dict[str, Any]:
    secret = base64.b64encode(CORE.encode().ljust(24, b"."))
    return {
        "name": "events",
        "url": f"{receiver.endpoint}/{CORE}?token={CORE}",
        "secrets": [f"whsec_{secret.decode()}"],
    }


@contextmanager
def watched_gateway(folder: Path, seaweedfs: SeaweedFS) -> Iterator[Watched]:
    """Exports traces and logs, keeps traces, logs all there is, and holds canaries in its configuration."""
    secret, neighbour_secret = f"{CORE}{secrets.token_hex(16)}", f"{CORE}{secrets.token_hex(16)}"
    target = seaweedfs.create_bucket("canaries")
    with (
        otlp_receiver("http/protobuf") as receiver,
        scripted_server(odd_upstream) as odd,
        scripted_server(odd_receiver) as events,
        ExitStack() as stack,
    ):
        gone = stack.enter_context(scripted_server(odd_upstream))
        sections = {
            "server": {"body_stall_seconds": 2},
            "database": {"url": f"sqlite:///{folder / 'gateway.sqlite3'}?timeout=1"},
            "logging": {"level": "debug", "otlp": True},
            "tracing": {
                "otlp": {"endpoint": f"http://127.0.0.1:{receiver.port}", "protocol": "http/protobuf"},
                "batch": {"scheduled_delay_millis": 100},
                "local_store": {"enabled": True, "path": str(folder / "var" / "traces.sqlite3")},
            },
            **keys_of(secret, neighbour_secret),
            **storages_of(folder, seaweedfs, target, odd, gone, webhook_at(events)),
        }
        with running_gateway(folder, seaweedfs, sections) as running:
            gateway = replace(
                running,
                secret_access_key=secret,
                neighbour_secret=neighbour_secret,
                upstream_bucket=target,
            )
            yield Watched(gateway, receiver, folder, stack)
