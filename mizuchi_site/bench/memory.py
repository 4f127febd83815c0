"""Resident memory of a worker: by uploads in flight, traces queued and big bodies, and its growth."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .body_forms import plain
from .collector import Collector, running_collector
from .loads import load_turn
from .null_s3 import null_storage, running_null_s3
from .processes import cpu_seconds, peak_bytes, reset_peak, resident_bytes
from .report import Figure, Table
from .room import need_room
from .rounds import Sample, Spread
from .sender import Sender, running_sender
from .server import BUCKET, Server, running_server
from .sizes import GIBIBYTE, MEBIBYTE, size_name
from .slow_uploads import slow_uploads

_WARM_REQUESTS = 160
_WARM_CONNECTIONS = 16
_LEAK_CONNECTIONS, _LEAK_STEP = 8, 1000
_SETTLE_SECONDS = 0.5  # what was sent last is read
_SPANS_OF_A_REQUEST = 4  # at least
_ROOM_FOR_SLOW = {"threads": 320}


@dataclass(frozen=True, slots=True)
class Extent:
    """``queues`` in spans; ``at_once`` bodies of ``size`` bytes; ``marks``: after how many requests a look
    is taken for growth."""

    rounds: int
    in_flight: Sequence[int]
    queues: Sequence[int]
    size: int
    at_once: int
    marks: Sequence[int]


_FULL = Extent(3, (1, 8, 64, 256), (2048, 16384), GIBIBYTE, 8, (10_000, 50_000, 100_000))
_QUICK = Extent(1, (1, 8, 64, 256), (2048,), 64 * MEBIBYTE, 4, (1000, 5000))
_STORAGES = ("files", "S3 sink")


def steps(is_quick: bool) -> int:
    extent = _QUICK if is_quick else _FULL
    small = extent.rounds * (len(extent.in_flight) + len(extent.queues) + 1)
    return small + len(_STORAGES) * (1 + len(extent.marks))


@dataclass(frozen=True, slots=True)
class Bench:
    """What all tables share."""

    folder: Path
    collector: Collector
    sender: Sender
    sink: str
    extent: Extent
    on_turn: Callable[[], None]

    def warm(self, server: Server) -> int:
        """Threads, pools and imports are there; what the worker holds then."""
        load_turn(self.sender, server, connections=_WARM_CONNECTIONS, requests=_WARM_REQUESTS)
        return resident(server)

    def storage(self, name: str) -> Mapping[str, Any] | None:
        return null_storage(self.sink) if name == "S3 sink" else None


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    """Of the one worker of servers of their own, every trace exported."""
    extent = _QUICK if is_quick else _FULL
    need_room(folder, extent.size * extent.at_once)
    with running_collector() as collector, running_sender() as sender, running_null_s3() as sink:
        bench = Bench(folder, collector, sender, sink, extent, on_turn)
        return [_in_flight(bench), _queued(bench), *_by_storage(bench)]


def resident(server: Server) -> int:
    """What its one worker holds."""
    (worker,) = server.workers
    return resident_bytes(worker)


def _in_flight(bench: Bench) -> Table:
    found: dict[str, list[Sample]] = {}
    for number in range(bench.extent.rounds):
        folder = bench.folder / f"in-flight-{number}"
        with running_server(folder, sections=bench.collector.section, server=_ROOM_FOR_SLOW) as server:
            base = bench.warm(server)
            found.setdefault("no upload", []).append(_held(base, base))
            for count in bench.extent.in_flight:
                with slow_uploads(server, count):
                    time.sleep(_SETTLE_SECONDS)
                    found.setdefault(f"{count} in flight", []).append(_held(resident(server), base))
                bench.on_turn()
    return Table(
        "Slow uploads in flight, files",
        _rows(found),
        "More and more in the same worker; half of each MiB has come.",
    )


def _queued(bench: Bench) -> Table:
    """The queue is filled, and not emptied: a batch would be larger than it."""
    found: dict[str, list[Sample]] = {}
    requests = max(bench.extent.queues) // _SPANS_OF_A_REQUEST
    tracing = bench.collector.section["tracing"]
    ways: dict[str, dict[str, Any]] = {"all exported": {}}
    for spans in bench.extent.queues:
        batch = {"max_queue_size": spans, "max_export_batch_size": 100_000, "scheduled_delay_millis": 600_000}
        ways[f"{spans:,} spans queued"] = {"batch": batch, "spool": {"max_bytes": 0}}
    for number in range(bench.extent.rounds):
        for way, (name, more) in enumerate(ways.items()):
            folder = bench.folder / f"queue-{number}-{way}"
            with running_server(folder, sections={"tracing": tracing | more}) as server:
                base = bench.warm(server)
                load_turn(bench.sender, server, connections=_WARM_CONNECTIONS, requests=requests)
                found.setdefault(name, []).append(_held(resident(server), base))
            bench.on_turn()
    note = "What is queued is never sent, as when a collector is gone and there is no spool."
    return Table(f"Traces queued, after {requests:,} requests", _rows(found), note)


def _held(now: int, base: int) -> Sample:
    return {"resident": now / MEBIBYTE, "growth": (now - base) / MEBIBYTE}


def _rows(found: Mapping[str, Sequence[Sample]]) -> dict[str, dict[str, Figure]]:
    """MiB, of a row's samples."""
    return {
        name: {what: Figure(Spread.of([sample[what] for sample in samples]), "MiB") for what in samples[0]}
        for name, samples in found.items()
    }


def _by_storage(bench: Bench) -> list[Table]:
    """First the small ones, in a fresh worker, then the big ones."""
    growth, big = {}, {}
    for name in _STORAGES:
        folder = bench.folder / name.replace(" ", "-")
        with running_server(folder, sections=bench.collector.section, storage=bench.storage(name)) as server:
            growth[name] = _growth(bench, server)
            big[name] = _big(bench, server)
        shutil.rmtree(folder)
        bench.on_turn()
    extent = bench.extent
    return [
        Table(f"Growth over {extent.marks[-1]:,} PUTs of 1 KiB", growth),
        Table(f"{extent.at_once} bodies of {size_name(extent.size)} at once", big),
    ]


def _growth(bench: Bench, server: Server) -> dict[str, Figure]:
    held: list[int] = []
    sent = 0
    for mark in bench.extent.marks:
        while sent < mark:
            count = min(_LEAK_STEP, mark - sent)
            load_turn(bench.sender, server, connections=_LEAK_CONNECTIONS, requests=count)
            sent += count
        held.append(resident(server))
        bench.on_turn()
    first, *_, last = bench.extent.marks
    row = {f"after {mark:,}": _mebibytes(now) for mark, now in zip(bench.extent.marks, held, strict=True)}
    return row | {
        "growth": _mebibytes(held[-1] - held[0]),
        "of a request": _one((held[-1] - held[0]) / (last - first), "B"),
    }


def _big(bench: Bench, server: Server) -> dict[str, Figure]:
    extent = bench.extent
    (worker,) = server.workers
    paths = [f"/{BUCKET}/big-{number}" for number in range(extent.at_once)]
    bench.sender.send(server.port, [[plain(server, path, MEBIBYTE)] for path in paths])
    base = resident(server)
    reset_peak(worker)
    before = cpu_seconds(server.pids)
    sent = bench.sender.send(server.port, [[plain(server, path, extent.size)] for path in paths])
    used, total = cpu_seconds(server.pids) - before, extent.size * extent.at_once
    peak = peak_bytes(worker)
    return {
        "peak": _mebibytes(peak),
        "growth": _mebibytes(peak - base),
        "throughput": _one(total / MEBIBYTE / sent.seconds, "MiB/s"),
        "CPU of a GiB": _one(used / (total / GIBIBYTE), "s"),
    }


def _mebibytes(size: int) -> Figure:
    return _one(size / MEBIBYTE, "MiB")


def _one(value: float, unit: str) -> Figure:
    return Figure(Spread.of([value]), unit)
