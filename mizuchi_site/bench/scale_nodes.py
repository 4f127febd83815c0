"""Two nodes on one database and one storage behind nginx, beside one behind nginx and one by itself."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from .nginx import Nginx, nginx_program, running_nginx
from .null_s3 import null_storage, running_null_s3
from .parts import multipart_upload
from .postgres import Postgres, postgres_program, running_postgres
from .processes import cpu_seconds
from .report import Figure, Table
from .rounds import Sample, Turns, take_turns
from .sender import Sender
from .server import Server, Shared, running_server
from .sizes import KIBIBYTE, size_name

DIRECT, PROXIED, SPREAD = "one node", "one node behind nginx", "two nodes behind nginx"
_SIDES = (DIRECT, PROXIED, SPREAD)
_PART_BYTES = 64 * KIBIBYTE
_TITLE = "By nodes and parts at once"
_NOTE = (
    f"Parts of {size_name(_PART_BYTES)} of one multipart upload to an S3 service that drops them; behind "
    "nginx each goes to the node whose turn it is. A node has one worker, PostgreSQL waits for no disk, "
    "every trace is exported. CPU is that of a part. All of them, who sends and the collector share the "
    "cores: on few cores a second node adds nothing but its own costs."
)
_MISSING = "Not installed: {}. Nothing was measured."


@dataclass(frozen=True, slots=True)
class Extent:
    """``parts`` are those of a turn, ``at_once`` how many of them are on their way."""

    rounds: int
    warm_up: int
    parts: int
    at_once: Sequence[int]


@dataclass(frozen=True, slots=True)
class Side:
    """Who is sent to (``entrance`` has the port that is signed for), and whose CPU time counts."""

    entrance: Server
    nodes: Sequence[Server]
    pids_of_nginx: Callable[[], Sequence[int]]


def missing_programs() -> list[str]:
    """What must be installed for this and is not."""
    found = {"nginx": nginx_program(), "PostgreSQL": postgres_program()}
    return [name for name, program in found.items() if not program]


def steps(extent: Extent) -> int:
    turns = len(_SIDES) * len(extent.at_once) * (extent.rounds + extent.warm_up)
    return 0 if missing_programs() else turns


def by_nodes(
    folder: Path, sections: Mapping[str, Any], sender: Sender, extent: Extent, on_turn: Callable[[], None]
) -> Table:
    """A row for each side and number of parts at once; none, and a note, when a program is missing."""
    if missing := missing_programs():
        return Table(_TITLE, {}, _MISSING.format(" and ".join(missing)))
    with _running_sides(folder, sections) as (sides, postgres):
        calls = {
            _name(side, at_once): partial(_turn, sender, sides[side], postgres, at_once, extent.parts)
            for at_once in extent.at_once
            for side in _SIDES
        }
        turns = take_turns(calls, rounds=extent.rounds, warm_up=extent.warm_up, on_turn=on_turn)
    rows = {
        _name(side, at_once): _row(turns, _name(side, at_once), _name(DIRECT, at_once))
        for at_once in extent.at_once
        for side in _SIDES
    }
    lines = {
        side: {f"{at_once} at once": _name(side, at_once) for at_once in extent.at_once} for side in _SIDES
    }
    return Table(_TITLE, rows, _NOTE, lines)


@contextmanager
def _running_sides(
    folder: Path, sections: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Side], Postgres]]:
    """Raises ServerFailed."""
    program = nginx_program()
    assert program is not None
    with ExitStack() as running:
        postgres = running.enter_context(running_postgres())
        storage = null_storage(running.enter_context(running_null_s3()))
        shared = Shared(postgres.create_database())
        nodes = [
            running.enter_context(
                running_server(folder / f"node-{number}", sections=sections, storage=storage, shared=shared)
            )
            for number in (1, 2)
        ]
        sides = {DIRECT: Side(nodes[0], nodes[:1], lambda: ())}
        for name, behind in ((PROXIED, nodes[:1]), (SPREAD, nodes)):
            upstreams = [f"{node.host}:{node.port}" for node in behind]
            place = folder / f"nginx-{len(behind)}"
            nginx = running.enter_context(running_nginx(program, place, upstreams=upstreams))
            entrance = replace(nodes[0], port=nginx.port)
            sides[name] = Side(entrance, behind, partial(_pids, nginx))
        yield sides, postgres


def _pids(nginx: Nginx) -> Sequence[int]:
    return nginx.pids


def _turn(sender: Sender, side: Side, postgres: Postgres, at_once: int, parts: int) -> Sample:
    """Raises UploadRefused."""
    nodes = [pid for node in side.nodes for pid in node.pids]
    processes = {"nodes": nodes, "nginx": side.pids_of_nginx()}
    with multipart_upload(side.entrance) as upload:
        lanes = upload.lanes(at_once, parts, _PART_BYTES)
        before = {name: cpu_seconds(pids) for name, pids in processes.items()}
        connections_before = _cpu_of_each(postgres)
        sent = sender.send(side.entrance.port, lanes)
        used = {name: cpu_seconds(pids) - before[name] for name, pids in processes.items()}
        used["postgres"] = sum(
            seconds - connections_before.get(pid, 0) for pid, seconds in _cpu_of_each(postgres).items()
        )
    count = len(sent.took)
    return {
        "per_second": count / sent.seconds,
        "p50_ms": statistics.median(sent.took) * 1e3,
        "p99_ms": sorted(sent.took)[int(count * 0.99)] * 1e3,
        **{name: seconds / count * 1e6 for name, seconds in used.items()},
    }


def _cpu_of_each(postgres: Postgres) -> dict[int, float]:
    """By process: those of connections come and go."""
    found = {}
    for pid in postgres.pids:
        with suppress(OSError):
            found[pid] = cpu_seconds([pid])
    return found


def _row(turns: Turns, side: str, direct: str) -> dict[str, Figure]:
    row = {
        "parts a second": Figure(turns.spread(side, "per_second")),
        "p50": Figure(turns.spread(side, "p50_ms"), "ms"),
        "p99": Figure(turns.spread(side, "p99_ms"), "ms"),
        "CPU of nodes": Figure(turns.spread(side, "nodes"), "us"),
        "CPU of PostgreSQL": Figure(turns.spread(side, "postgres"), "us"),
    }
    if side != direct:
        row["CPU of nginx"] = Figure(turns.spread(side, "nginx"), "us")
        row["parts to one node's"] = Figure(turns.ratio(side, direct, "per_second"))
    return row


def _name(side: str, at_once: int) -> str:
    return f"{side}, {at_once} at once"
