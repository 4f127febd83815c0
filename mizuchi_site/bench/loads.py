"""Small signed uploads over several connections at once: what one turn measures, and how it is told."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .body_forms import Upload, block
from .processes import cpu_seconds
from .report import Figure
from .rounds import Sample, Turns
from .sender import Lane, Sender
from .server import Server
from .sizes import KIBIBYTE
from .uploads import put_request


def small_puts(server: Server, *, connections: int, requests: int) -> Sequence[Lane]:
    """Signed PUTs of 1 KiB, ``requests`` on all connections together, each with a key of its own."""
    body = block()[:KIBIBYTE]
    return [
        [Upload(put_request(server, body)) for _ in range(requests // connections)]
        for _ in range(connections)
    ]


def load_turn(sender: Sender, server: Server, *, connections: int, requests: int) -> Sample:
    """CPU is that of all processes of the server. Raises UploadRefused."""
    lanes = small_puts(server, connections=connections, requests=requests)
    before = cpu_seconds(server.pids)
    sent = sender.send(server.port, lanes)
    used, count = cpu_seconds(server.pids) - before, len(sent.took)
    return {
        "per_second": count / sent.seconds,
        "per_core": count / used,
        "cpu_us": used / count * 1e6,
        "p50_ms": statistics.median(sent.took) * 1e3,
        "p99_ms": sorted(sent.took)[int(count * 0.99)] * 1e3,
    }


def load_row(turns: Turns, side: str) -> dict[str, Figure]:
    return {
        "requests a second": Figure(turns.spread(side, "per_second")),
        "a second of CPU": Figure(turns.spread(side, "per_core")),
        "CPU": Figure(turns.spread(side, "cpu_us"), "us"),
        "p50": Figure(turns.spread(side, "p50_ms"), "ms"),
        "p99": Figure(turns.spread(side, "p99_ms"), "ms"),
    }
