"""What tracing costs a request through the running server: off, sampled at the tail, all exported."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from .collector import Collector, running_collector
from .processes import cpu_seconds
from .report import Figure, Table
from .rounds import Sample, Turns, take_turns
from .server import Server, running_server
from .sizes import KIBIBYTE, MEBIBYTE
from .uploads import connection_to, put_request, send_all

OFF, RATIO, ALWAYS = "off", "ratio 0.01", "always"


@dataclass(frozen=True, slots=True)
class Load:
    """What one turn sends. A turn that is too short measures the clock."""

    name: str
    size: int
    requests: int


LOADS: Final = (
    Load("PUT 1 KiB", KIBIBYTE, 200),
    Load("PUT 64 KiB", 64 * KIBIBYTE, 100),
    Load("PUT 1 MiB", MEBIBYTE, 30),
    Load("PUT 64 MiB", 64 * MEBIBYTE, 2),
)
_ROUNDS, _QUICK_ROUNDS, _WARM_UP = 21, 7, 1


def steps(is_quick: bool) -> int:
    loads, rounds = _extent(is_quick)
    return 3 * len(loads) * (rounds + _WARM_UP)


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    """One worker for each way of tracing, with files and a database in ``folder``."""
    loads, rounds = _extent(is_quick)
    tables = []
    with ExitStack() as running:
        collector = running.enter_context(running_collector())
        servers = {
            name: running.enter_context(running_server(folder / name.replace(" ", "-"), sections=sections))
            for name, sections in tracing_ways(collector).items()
        }
        for load in loads:
            body = os.urandom(load.size)
            sides = {name: partial(_turn, server, body, load.requests) for name, server in servers.items()}
            turns = take_turns(sides, rounds=rounds, warm_up=_WARM_UP, on_turn=on_turn)
            tables.append(Table(load.name, {name: _row(turns, name) for name in servers}))
    return tables


def _extent(is_quick: bool) -> tuple[Sequence[Load], int]:
    return (LOADS[:1], _QUICK_ROUNDS) if is_quick else (LOADS, _ROUNDS)


def _row(turns: Turns, side: str) -> dict[str, Figure]:
    row = {
        "CPU": Figure(turns.spread(side, "cpu_us"), "us"),
        "p50": Figure(turns.spread(side, "p50_us"), "us"),
        "p99": Figure(turns.spread(side, "p99_us"), "us"),
        "requests a second": Figure(turns.spread(side, "per_second")),
    }
    if side != OFF:
        row["CPU to off"] = Figure(turns.ratio(side, OFF, "cpu_us"))
        row["p50 to off"] = Figure(turns.ratio(side, OFF, "p50_us"))
    return row


def _turn(server: Server, body: bytes, requests: int) -> Sample:
    """One connection, one request after the other. CPU is that of all the server's processes."""
    ready = [put_request(server, body) for _ in range(requests)]
    with connection_to(server) as connection:
        before = cpu_seconds(server.pids)
        took = send_all(connection, ready)
        used = cpu_seconds(server.pids) - before
    return {
        "cpu_us": used / requests * 1e6,
        "p50_us": statistics.median(took) * 1e6,
        "p99_us": sorted(took)[int(len(took) * 0.99)] * 1e6,
        "per_second": requests / sum(took),
    }


def tracing_ways(collector: Collector) -> dict[str, dict[str, Any]]:
    """The configuration of each way of tracing."""
    exported = collector.section["tracing"]
    rules = [{"name": "uploads that took long", "when": "duration > 5s", "keep": "always"}]
    tail = {"strategy": "ratio", "ratio": 0.01, "errors": True, "slow_request_ms": 2000, "rules": rules}
    return {
        OFF: {"tracing": {"enabled": False}},
        RATIO: {"tracing": {**exported, "sampling": tail}},
        ALWAYS: {"tracing": {**exported, "sampling": {"strategy": "always"}}},
    }
