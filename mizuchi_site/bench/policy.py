"""What a decision of policy engines costs: remembered, and asked of a server that answers at once."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from authz.config import OpaConfig, OpenFgaConfig, PolicyConfig
from authz.decisions import PolicyQuestion, decide_by_scope
from authz.identity import Identity
from authz.policy.bucket_policy import BucketPolicy
from authz.policy.factory import build_policies

from .answering import answer_all
from .calls import Call, time_calls
from .failures import BenchmarkFailed
from .report import Table
from .spawned import spawned

_ROUNDS, _QUICK_ROUNDS, _WARM_UP = 41, 9, 1
_OPA, _OPENFGA, _BOTH = "OPA", "OpenFGA with two groups", "both"
_ENGINES = (_OPA, _OPENFGA, _BOTH)
_ASKED, _REMEMBERED = 0.0, 3600.0
_STORE = "01HVMMBCMGZNT3SED4Z17ECXCA"
_QUESTION: Final = PolicyQuestion(
    Identity("anne", "sigv4", groups=("staff", "editors")),
    "s3:PutObject",
    "bench",
    "photos/2026/picture.jpg",
    operation="PutObject",
    method="PUT",
    size=1024,
    content_type="image/jpeg",
    client_ip="192.0.2.7",
    request_id="0af7651916cd43dd8448eb211c80319c",
)


class NotAllowed(BenchmarkFailed):
    """An engine that allows everything did not."""


def steps(is_quick: bool) -> int:
    return (1 + 2 * len(_ENGINES)) * ((_QUICK_ROUNDS if is_quick else _ROUNDS) + _WARM_UP)


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    """The engines are one process that answers without thinking: what they take themselves is not counted."""
    rounds = _QUICK_ROUNDS if is_quick else _ROUNDS
    with spawned(_serve) as pipe, ExitStack() as connections:
        calls = _calls(f"http://127.0.0.1:{pipe.recv()}", connections)
        rows = time_calls(calls, rounds=rounds, on_turn=on_turn, has_latency=True)
    return [Table("One question", rows)]


def _calls(url: str, connections: ExitStack) -> dict[str, Call]:
    calls: dict[str, Call] = {"no engine: the key's buckets": lambda: decide_by_scope(_QUESTION)}
    for name in _ENGINES:
        for way, ttl_seconds in (("remembered", _REMEMBERED), ("asked", _ASKED)):
            policy = _policy(url, name, ttl_seconds)
            for engine in policy.engines:
                connections.callback(engine.close)
            calls[f"{name}, {way}"] = partial(_decide, policy)
    return calls


def _decide(policy: BucketPolicy) -> None:
    combined = policy.decide(_QUESTION)
    if combined.outcome != "allow":
        raise NotAllowed(combined.reason)


def _policy(url: str, name: str, ttl_seconds: float) -> BucketPolicy:
    opa = OpaConfig(url, cache_ttl_seconds=ttl_seconds)
    openfga = OpenFgaConfig(url, _STORE, group="group:{group}", cache_ttl_seconds=ttl_seconds)
    config = PolicyConfig(
        opa=opa if name in (_OPA, _BOTH) else None, openfga=openfga if name in (_OPENFGA, _BOTH) else None
    )
    return build_policies({"bench": config})["bench"]


def _serve(pipe: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe.send(listener.getsockname()[1])
        answer_all(listener, _answer, "application/json")


def _answer(head: bytes, body: bytes) -> bytes:
    if head.startswith(b"POST /stores/"):
        return b'{"allowed":true,"resolution":""}'
    return b'{"result":{"allow":true,"reason":"granted"}}'
