"""How requests a second and the slowest change as workers, uploads in flight, records and nodes grow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from . import scale_nodes
from .collector import running_collector
from .loads import load_row, load_turn
from .report import Table
from .rounds import Sample, take_turns
from .sender import Sender, running_sender
from .server import DATABASE, Server, running_server
from .slow_uploads import slow_uploads
from .stored_records import store_records

_WARM_UP = 1
_CONNECTIONS = 16
_NOTE = (
    f"Signed PUTs of 1 KiB to files over {_CONNECTIONS} connections, SQLite, every trace exported, one "
    "worker unless the row says otherwise; who sends and the collector share the cores with it."
)
_ROOM_FOR_SLOW = {"threads": 640, "max_connections": 2000}


@dataclass(frozen=True, slots=True)
class Extent:
    """``requests`` are those of a turn. ``at_once``: so many parts at a time, over one node and over two."""

    rounds: int
    requests: int
    workers: Sequence[int]
    in_flight: Sequence[int]
    records: Sequence[int]
    at_once: Sequence[int]

    @property
    def nodes(self) -> scale_nodes.Extent:
        return scale_nodes.Extent(self.rounds, _WARM_UP, self.requests, self.at_once)


_FULL = Extent(7, 480, (1, 2, 4), (1, 8, 64, 256, 512), (0, 100_000, 1_000_000), (1, 8, 32, 96))
_QUICK = Extent(2, 160, (1, 2), (1, 64), (0, 100_000), (1, 32))


def steps(is_quick: bool) -> int:
    extent = _QUICK if is_quick else _FULL
    sides = len(extent.workers) + len(extent.in_flight) + len(extent.records)
    return sides * (extent.rounds + _WARM_UP) + scale_nodes.steps(extent.nodes)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all tables share."""

    folder: Path
    sections: Mapping[str, Any]
    sender: Sender
    extent: Extent
    on_turn: Callable[[], None]

    def table(self, title: str, sides: Mapping[str, Callable[[], Sample]]) -> Table:
        turns = take_turns(sides, rounds=self.extent.rounds, warm_up=_WARM_UP, on_turn=self.on_turn)
        return Table(title, {name: load_row(turns, name) for name in sides}, _NOTE)

    def load(self, server: Server) -> Sample:
        return load_turn(self.sender, server, connections=_CONNECTIONS, requests=self.extent.requests)


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    """PUTs of 1 KiB to files over 16 connections, the database SQLite; then parts over two nodes, the
    database PostgreSQL. Every trace is exported."""
    extent = _QUICK if is_quick else _FULL
    with running_collector() as collector, running_sender() as sender:
        bench = Bench(folder, collector.section, sender, extent, on_turn)
        return [
            _by_workers(bench),
            _by_uploads_in_flight(bench),
            _by_records(bench),
            scale_nodes.by_nodes(folder / "nodes", collector.section, sender, extent.nodes, on_turn),
        ]


def _by_workers(bench: Bench) -> Table:
    with ExitStack() as running:
        sides = {}
        for workers in bench.extent.workers:
            folder = bench.folder / f"workers-{workers}"
            server = running.enter_context(
                running_server(folder, sections=bench.sections, server={"workers": workers})
            )
            sides[f"{workers} worker{'s' * (workers > 1)}"] = partial(bench.load, server)
        return bench.table("By workers", sides)


def _by_uploads_in_flight(bench: Bench) -> Table:
    """Slow uploads in the same worker; what they cost is counted."""
    with running_server(bench.folder / "in-flight", sections=bench.sections, server=_ROOM_FOR_SLOW) as server:

        def turn(count: int) -> Sample:
            with slow_uploads(server, count):
                return bench.load(server)

        sides = {f"{count} in flight": partial(turn, count) for count in bench.extent.in_flight}
        return bench.table("By slow uploads in flight", sides)


def _by_records(bench: Bench) -> Table:
    with ExitStack() as running:
        sides = {}
        for records in bench.extent.records:
            folder = bench.folder / f"records-{records}"
            server = running.enter_context(running_server(folder, sections=bench.sections))
            bench.load(server)
            store_records(folder / DATABASE, records)
            sides[f"{records:,} records"] = partial(bench.load, server)
        return bench.table("By stored records", sides)
