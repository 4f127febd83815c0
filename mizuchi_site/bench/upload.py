"""How fast bodies get through, and what it costs: by storage, size and form, with nginx beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .body_forms import BODY_FORMS, BodyForm, Upload, unauthenticated
from .collector import running_collector
from .loads import load_row, load_turn
from .nginx import Nginx, nginx_program, running_nginx
from .null_s3 import null_storage, running_null_s3
from .processes import cpu_seconds
from .report import Figure, Table
from .room import need_room
from .rounds import Sample, Turns, take_turns
from .sender import Sender, running_sender
from .server import BUCKET, Server, running_server
from .sizes import GIBIBYTE, MEBIBYTE, size_name

FILES, SINK = "files", "S3 sink"
_NGINX: Final[Mapping[str, str]] = {FILES: "nginx, DAV to files", SINK: "nginx, proxy to the sink"}
_ONE_WORKER = "One worker, every trace exported; CPU is that of all serving processes."
_BESIDE_NGINX = (
    "nginx has one worker, too; it verifies and hashes nothing, records nothing and traces nothing."
)
_NO_NGINX = "nginx is not installed: its rows and the ratios to it are left out."
_WARM_UP = 1
_COPIES = 4  # of the biggest body: stored and on its way, by the gateway and by nginx


@dataclass(frozen=True, slots=True)
class Extent:
    """``bodies``: of so many bytes, so many one after the other in a turn. ``connections``: with so many at
    once so many small requests."""

    rounds: int
    bodies: Mapping[int, int]
    connections: Mapping[int, int]


_FULL = Extent(7, {MEBIBYTE: 50, 64 * MEBIBYTE: 4, GIBIBYTE: 1}, {1: 200, 8: 400, 64: 640})
_QUICK = Extent(2, {MEBIBYTE: 20, 64 * MEBIBYTE: 1}, {1: 100, 8: 160, 64: 192})


@dataclass(frozen=True, slots=True)
class Side:
    """Who is sent to, on which port, by which processes it is served, and what an upload of a size is."""

    storage: str
    port: int
    pids: Callable[[], Sequence[int]]
    upload: Callable[[int], Upload]


def steps(is_quick: bool) -> int:
    extent = _QUICK if is_quick else _FULL
    sides = 2 * len(BODY_FORMS) + (len(_NGINX) if nginx_program() else 0)
    turns = sides * len(extent.bodies) + 2 * len(extent.connections)
    return turns * (extent.rounds + _WARM_UP)


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    """One worker for each storage, every trace exported; each side overwrites one object of its own."""
    extent = _QUICK if is_quick else _FULL
    need_room(folder, _COPIES * max(extent.bodies))
    program = nginx_program()
    with ExitStack() as running:
        collector, sender = (
            running.enter_context(running_collector()),
            running.enter_context(running_sender()),
        )
        sink = running.enter_context(running_null_s3())
        storages = {FILES: None, SINK: null_storage(sink)}
        servers = {
            name: running.enter_context(
                running_server(folder / name.replace(" ", "-"), sections=collector.section, storage=storage)
            )
            for name, storage in storages.items()
        }
        sides = _gateway_sides(servers)
        if program:
            upstreams = [urlsplit(sink).netloc]
            sides |= _nginx_sides(
                running.enter_context(running_nginx(program, folder / "nginx", upstreams=upstreams))
            )
        bodies = [
            _bodies(sender, sides, size, count, extent.rounds, on_turn)
            for size, count in extent.bodies.items()
        ]
        return [*bodies, _small(sender, servers, extent, on_turn)]


def _gateway_sides(servers: Mapping[str, Server]) -> dict[str, Side]:
    return {
        f"{storage}, {name}": Side(
            storage, server.port, partial(_pids_of, server), partial(_to_gateway, form, server)
        )
        for storage, server in servers.items()
        for name, form in BODY_FORMS.items()
    }


def _nginx_sides(nginx: Nginx) -> dict[str, Side]:
    return {
        _NGINX[storage]: Side(
            storage, nginx.port, partial(_pids_of, nginx), partial(_to_nginx, f"/{location}/object")
        )
        for storage, location in ((FILES, "dav"), (SINK, "proxy"))
    }


def _pids_of(process: Server | Nginx) -> Sequence[int]:
    return process.pids


def _to_gateway(form: BodyForm, server: Server, size: int) -> Upload:
    return form(server, f"/{BUCKET}/object", size)


def _to_nginx(path: str, size: int) -> Upload:
    return unauthenticated("127.0.0.1", path, size)


def _bodies(
    sender: Sender,
    sides: Mapping[str, Side],
    size: int,
    count: int,
    rounds: int,
    on_turn: Callable[[], None],
) -> Table:
    calls = {name: partial(_turn, sender, side, size, count) for name, side in sides.items()}
    turns = take_turns(calls, rounds=rounds, warm_up=_WARM_UP, on_turn=on_turn)
    rows = {name: _row(turns, name, _beside(side, sides)) for name, side in sides.items()}
    note = f"{_ONE_WORKER} {_BESIDE_NGINX if _NGINX[FILES] in sides else _NO_NGINX}"
    return Table(f"Bodies of {size_name(size)}, one after the other", rows, note)


def _beside(side: Side, sides: Mapping[str, Side]) -> str | None:
    """The nginx that does the same, unless it is that or there is none."""
    name = _NGINX[side.storage]
    return name if name in sides and sides[name] is not side else None


def _row(turns: Turns, name: str, nginx: str | None) -> dict[str, Figure]:
    row = {
        "throughput": Figure(turns.spread(name, "mib_s"), "MiB/s"),
        "CPU of a GiB": Figure(turns.spread(name, "cpu_s"), "s"),
    }
    if nginx:
        row["throughput to nginx"] = Figure(turns.ratio(name, nginx, "mib_s"))
        row["CPU to nginx"] = Figure(turns.ratio(name, nginx, "cpu_s"))
    return row


def _turn(sender: Sender, side: Side, size: int, count: int) -> Sample:
    lane = [side.upload(size)] * count
    before = cpu_seconds(side.pids())
    sent = sender.send(side.port, [lane])
    used, total = cpu_seconds(side.pids()) - before, size * count
    return {"mib_s": total / MEBIBYTE / sent.seconds, "cpu_s": used / (total / GIBIBYTE)}


def _small(
    sender: Sender, servers: Mapping[str, Server], extent: Extent, on_turn: Callable[[], None]
) -> Table:
    sides = {
        f"{name}, {connections} at once": partial(
            load_turn, sender, server, connections=connections, requests=requests
        )
        for name, server in servers.items()
        for connections, requests in extent.connections.items()
    }
    turns = take_turns(sides, rounds=extent.rounds, warm_up=_WARM_UP, on_turn=on_turn)
    return Table("Signed PUTs of 1 KiB", {name: load_row(turns, name) for name in sides}, _ONE_WORKER)
