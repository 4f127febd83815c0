"""What an outage of the collector costs a gateway in use: ``make outages``, or see ``--help``.

For each outage and protocol: a gateway with two workers and the default settings under a steady load; times
of health and of outage in turn, so that what else happens on the machine falls on both; then the collector
is back, the spool drains, and SIGTERM comes in the middle of a last outage. Exits 1 when an upload failed, a
trace is missing that no counter tells of, a worker grew too much, or the end took too long.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.endurance.collector_outages import (
    OUTAGES,
    PROTOCOLS,
    Collector,
    Outage,
    Protocol,
    collector_before,
)
from tests.endurance.memory import memory_of
from tests.endurance.node import Node, running_node
from tests.endurance.steady import Exchange, steady_load

GROWTH_MIB = 64.0
EXIT_SECONDS = 5.0
DELIVERY_SECONDS = 120.0
LOST_LINE = re.compile(r"trace export has ended: (\d+) traces were lost")


@dataclass(frozen=True, slots=True)
class Span:
    """A time of health or of outage, by the monotonic clock."""

    is_outage: bool
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Run:
    """What one outage cost. ``healthy`` and ``during`` are milliseconds of uploads, sorted;
    ``recovery_seconds`` from the collector's return until the spool was empty (infinite: it did not)."""

    outage: Outage
    protocol: Protocol
    healthy: Sequence[float]
    during: Sequence[float]
    failures: int
    growth_mib: float
    spool_mib: float
    lines: int
    recovery_seconds: float
    exit_seconds: float
    missing: int
    told_lost: int

    @property
    def is_clean(self) -> bool:
        is_small = self.growth_mib < GROWTH_MIB and self.exit_seconds < EXIT_SECONDS
        is_told = self.missing == self.told_lost and (self.told_lost == 0 or not self.outage.keeps_all)
        return not self.failures and is_small and is_told

    def __str__(self) -> str:
        at = [(of(self.healthy, share), of(self.during, share)) for share in (0.5, 0.99)]
        latency = " ".join(f"{well:6.1f} {ill:6.1f} {ill / well:5.2f}" for well, ill in at)
        return (
            f"{self.outage.name:12} {self.protocol:13} {latency} {self.growth_mib:7.1f} "
            f"{self.spool_mib:6.1f} {self.lines:5} {self.recovery_seconds:8.1f} {self.exit_seconds:5.1f} "
            f"{self.failures:6} {self.missing:7} {self.told_lost:5}"
        )


HEAD = (
    f"{'outage':12} {'protocol':13} {'p50 ms':>6} {'outage':>6} {'ratio':>5} {'p99 ms':>6} {'outage':>6} "
    f"{'ratio':>5} {'MiB':>7} {'spool':>6} {'lines':>5} {'drained':>8} {'exit':>5} {'failed':>6} "
    f"{'missing':>7} {'told':>5}"
)


def of(milliseconds: Sequence[float], share: float) -> float:
    return milliseconds[int(len(milliseconds) * share)]


class Watched:
    """A gateway whose memory and spool are looked at between the times of a run."""

    def __init__(self, node: Node, collector: Collector) -> None:
        self.node = node
        self.collector = collector
        self.exchanges: list[Exchange] = []
        self.spool_bytes = 0

    @property
    def spool(self) -> int:
        directory = self.node.folder / "var" / "spool"
        sizes = [file.stat().st_size for file in directory.glob("*.otlp")] if directory.exists() else []
        self.spool_bytes = max(self.spool_bytes, sum(sizes))
        return len(sizes)

    @property
    def missing(self) -> int:
        arrived = {f"{number:032x}" for number in self.collector.receiver.trace_ids()}
        return sum(each.status == 200 and each.request_id not in arrived for each in self.exchanges)

    @property
    def told_lost(self) -> int:
        return sum(int(count) for count in LOST_LINE.findall(self.node.log.read_text()))

    @property
    def lines(self) -> int:
        return self.node.log.read_text().count("mizuchi.tracing.export")

    def memory(self) -> dict[int, float]:
        return {pid: memory_of(pid).resident for pid in self.node.workers()}

    def in_turn(self, outage: Outage, *, rounds: int, seconds: float) -> Iterator[Span]:
        """Health and outage, ``rounds`` times; the collector is away at the end."""
        for number in range(2 * rounds):
            is_outage = number % 2 == 1
            if number:
                (outage.begin if is_outage else outage.end)(self.collector)
            began = time.monotonic()
            time.sleep(seconds)
            yield Span(is_outage, began, time.monotonic())
            _ = self.spool

    def drained_seconds(self) -> float:
        """How long it takes until the spool is empty."""
        began = time.monotonic()
        while self.spool:
            if time.monotonic() - began > DELIVERY_SECONDS:
                return float("inf")
            time.sleep(0.1)
        return time.monotonic() - began


@contextmanager
def watched_gateway(outage: Outage, protocol: Protocol, folder: Path) -> Iterator[Watched]:
    with collector_before(outage, protocol, folder / "collector") as collector:
        node = Node(folder / "node", sections={"tracing": {"otlp": collector.otlp}}, run_by=collector.run_by)
        with running_node(node):
            yield Watched(node, collector)


def measure(
    outage: Outage, protocol: Protocol, folder: Path, *, rounds: int, seconds: float, per_second: float
) -> Run:
    """One outage, as the module says."""
    with watched_gateway(outage, protocol, folder) as watched:
        node, collector = watched.node, watched.collector
        with steady_load(node, connections=8, per_second=per_second) as load:
            load.wait(200)
            before = watched.memory()
            times = list(watched.in_turn(outage, rounds=rounds, seconds=seconds))
            growth = max(watched.memory()[pid] - before[pid] for pid in before)
            outage.end(collector)
            recovery = watched.drained_seconds()
        watched.exchanges += load.exchanges
        with steady_load(node, connections=8, per_second=per_second, number=1) as load:
            load.wait(100)
            outage.begin(collector)
            load.wait(100)
        watched.exchanges += load.exchanges
        lines, (_, exit_seconds) = watched.lines, node.stop()
        outage.end(collector)
        node.start()
        ends = time.monotonic() + DELIVERY_SECONDS
        while (missing := watched.missing) != watched.told_lost and time.monotonic() < ends:
            time.sleep(0.2)
        return Run(
            outage=outage,
            protocol=protocol,
            healthy=within(watched.exchanges, times, is_outage=False),
            during=within(watched.exchanges, times, is_outage=True),
            failures=sum(each.status != 200 for each in watched.exchanges),
            growth_mib=growth,
            spool_mib=watched.spool_bytes / 1024**2,
            lines=lines,
            recovery_seconds=recovery,
            exit_seconds=exit_seconds,
            missing=missing,
            told_lost=watched.told_lost,
        )


def within(exchanges: Sequence[Exchange], times: Sequence[Span], *, is_outage: bool) -> list[float]:
    """The milliseconds, sorted, of the uploads that began in those times."""
    wanted = [span for span in times if span.is_outage is is_outage]
    return sorted(
        each.milliseconds
        for each in exchanges
        if any(span.began <= each.began < span.ended for span in wanted)
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [outage.name for outage in OUTAGES]
    parser.add_argument("--outage", choices=names, action="append", help="only these (all)")
    parser.add_argument("--protocol", choices=PROTOCOLS, action="append", help="only these (both)")
    parser.add_argument("--rounds", type=int, default=2, help="of health and outage in turn (2)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each time (60)")
    parser.add_argument("--per-second", type=float, default=100.0, help="uploads (100)")
    options = parser.parse_args()
    print(HEAD, flush=True)
    is_clean = True
    for outage in (each for each in OUTAGES if each.name in (options.outage or names)):
        for protocol in (each for each in outage.protocols if each in (options.protocol or PROTOCOLS)):
            folder = Path(tempfile.mkdtemp(prefix="mizuchi-outages-"))
            try:
                run = measure(
                    outage,
                    protocol,
                    folder,
                    rounds=options.rounds,
                    seconds=options.seconds,
                    per_second=options.per_second,
                )
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            print(run if run.is_clean else f"{run}  NOT AS IT SHOULD BE", flush=True)
            is_clean = is_clean and run.is_clean
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
