"""How many instructions a worker executes for a request, counted by valgrind: the same on a busy machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .collector import running_collector
from .null_s3 import null_storage, running_null_s3
from .overhead import ALWAYS, OFF, tracing_ways
from .report import Figure, Table
from .rounds import Spread
from .server import Server, running_server
from .sizes import KIBIBYTE
from .uploads import connection_to, put_request, send_all

FILES, SINK = "files", "S3 sink"
_REQUESTS, _QUICK_REQUESTS, _WARM_UP_REQUESTS = 200, 60, 60
_ROUNDS, _QUICK_ROUNDS = 3, 1
_START_SECONDS = 600.0  # a start takes 20 times as long as usual
_EXPORT_SECONDS = 8.0  # a batch is sent 5 s after its first trace
_BODY = b"x" * KIBIBYTE
_NO_VALGRIND = "valgrind is not installed: nothing was counted."
_NOTE = (
    "All threads of a worker, those that write and export included, for signed PUTs of 1 KiB over one "
    "connection. Waiting costs nothing here, and the kernel's own instructions are not in it."
)


def steps(is_quick: bool) -> int:
    return len(_sides(is_quick)) * (_QUICK_ROUNDS if is_quick else _ROUNDS) if valgrind_program() else 0


def valgrind_program() -> str | None:
    """Where it is; None when it is not installed."""
    return shutil.which("valgrind")


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    """One gateway after the other: each has valgrind to itself."""
    if not valgrind_program():
        return [Table("Instructions", {}, _NO_VALGRIND)]
    rows: dict[str, dict[str, Figure]] = {}
    with ExitStack() as running:
        collector = running.enter_context(running_collector())
        storages = {FILES: None, SINK: null_storage(running.enter_context(running_null_s3()))}
        ways = tracing_ways(collector)
        for storage, way in _sides(is_quick):
            count = count_instructions(
                folder / f"{storage}-{way}".replace(" ", "-"),
                sections=ways[way],
                storage=storages[storage],
                requests=_QUICK_REQUESTS if is_quick else _REQUESTS,
                rounds=_QUICK_ROUNDS if is_quick else _ROUNDS,
                on_turn=on_turn,
            )
            rows[f"{storage}, tracing {way}"] = _row(count, rows.get(f"{storage}, tracing {OFF}"))
    return [Table("Instructions of a request, in thousands", rows, _NOTE)]


def count_instructions(
    folder: Path,
    *,
    sections: dict[str, Any],
    storage: dict[str, str] | None,
    requests: int,
    rounds: int,
    on_turn: Callable[[], None] = lambda: None,
) -> Spread:
    """Thousands of instructions for each request of a gateway that runs in ``folder``."""
    launcher = (
        *("valgrind", "--tool=callgrind", "--instr-atstart=no", "--trace-children=yes"),
        f"--callgrind-out-file={folder}/counted.%p",
    )
    with running_server(
        folder, sections=sections, storage=storage, launcher=launcher, start_seconds=_START_SECONDS
    ) as server:
        (worker,) = server.workers
        _send(server, _WARM_UP_REQUESTS)
        _control("-i", "on", worker)
        _send(server, _WARM_UP_REQUESTS // 4)  # what valgrind has to translate first
        time.sleep(_EXPORT_SECONDS)
        _control("-z", worker)
        for _ in range(rounds):
            _send(server, requests)
            time.sleep(_EXPORT_SECONDS)
            _control("-d", worker)
            on_turn()
        counts = [_total(folder / f"counted.{worker}.{number}") for number in range(1, rounds + 1)]
    return Spread.of([count / requests / 1e3 for count in counts])


def _sides(is_quick: bool) -> list[tuple[str, str]]:
    every = [(storage, way) for storage in (FILES, SINK) for way in (OFF, "ratio 0.01", ALWAYS)]
    return [(FILES, OFF), (FILES, ALWAYS)] if is_quick else every


def _row(count: Spread, off: dict[str, Figure] | None) -> dict[str, Figure]:
    row = {"instructions": Figure(count)}
    if off:
        base = off["instructions"].spread.median
        row["to off"] = Figure(Spread(count.median / base, count.low / base, count.high / base))
    return row


def _send(server: Server, requests: int) -> None:
    with connection_to(server) as connection:
        send_all(connection, [put_request(server, _BODY) for _ in range(requests)])


def _control(*arguments: str | int) -> None:
    subprocess.run(  # noqa: S603 - valgrind's own
        ["callgrind_control", *map(str, arguments)],  # noqa: S607 - beside valgrind, wherever that is
        check=True,
        capture_output=True,
    )


def _total(dump: Path) -> int:
    (total,) = re.findall(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)
    return int(total)
