"""A process that exports, for tests of several: MODE ENDPOINT PROTOCOL [SPOOL [FIRST]]."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.tracing_app.exporting.export_setup import assert_nothing_unaccounted, quick, real_worker
from tests.tracing_app.exporting.otlp_samples import trace_of
from tracing_app.exporting.config import OtlpConfig
from tracing_app.exporting.factory import build_transport


def outage(otlp: OtlpConfig, spool: Path, first: int) -> None:
    """Offer 100 traces; at the end of input say how many spans were exported."""
    worker = real_worker(quick(otlp, spool, failures=2))
    for number in range(first, first + 100):
        worker.offer(trace_of(number, 4))
    print("offered", worker.stats().spans_offered, flush=True)
    sys.stdin.readline()
    worker.shutdown(3)
    print("exported", worker.stats().spans_exported)


def send(otlp: OtlpConfig) -> None:
    """One try for each line of input, and what came of it."""
    transport = build_transport(otlp)
    print("ready", flush=True)
    for _ in sys.stdin:
        outcome = transport.send(b"", 1.0)
        print(type(outcome).__name__, getattr(outcome, "reason", ""), flush=True)
    transport.close()


def fork(otlp: OtlpConfig, spool: Path) -> None:
    """Build the worker, fork twice, export in all three."""
    worker = real_worker(quick(otlp, spool))
    children = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            children = []
            break
        children.append(pid)
    for number in range(1, 11):
        worker.offer(trace_of(number, 4))
    is_well = worker.shutdown(3) and assert_nothing_unaccounted(worker).spans_exported == 40
    for pid in children:
        is_well = os.waitpid(pid, 0)[1] == 0 and is_well
    os._exit(0 if is_well else 1)


if __name__ == "__main__":
    mode, endpoint, protocol, *more = sys.argv[1:]
    config = OtlpConfig(endpoint, protocol, 1.0)  # type: ignore[arg-type]
    match mode:
        case "fork":
            fork(config, Path(more[0]))
        case "outage":
            outage(config, Path(more[0]), int(more[1]))
        case "send":
            send(config)
