"""Tail sampling on the running gateway: ``make sampling``, or see ``--help``.

A mixed load of signed requests, of which 1 % fail on the gateway's side and 1 % are slow, to a gateway with
two workers that samples 1 % and exports to a real OTLP receiver. Then: is every error and every slow trace
there, whole; are the others as many as the ratio says; do the rates on the traces count what there was; is
memory bounded. With ``--minutes N``: uploads of that length that fail at their end. Exits 1 when something is
not as it should be.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.endurance.collecting import collector_of_its_own
from tests.endurance.long_uploads import measure_long_uploads
from tests.endurance.memory import memory_of
from tests.endurance.mixed_load import mixed_load, plan_of
from tests.endurance.node import Node
from tests.endurance.sampled_node import sampled_node
from tests.endurance.sampling_checks import Check, Sampled

SLOW_REQUEST_MS = 2000
SLOW_SECONDS = 2.2
GROWTH_MIB = 32.0
QUARTERS = 4


@dataclass
class MemoryWatch:
    """What the workers hold in MiB: before the load, at most in each quarter of it, and after it."""

    node: Node
    requests: int
    before: float = 0.0
    quarters: list[float] = field(default_factory=lambda: [0.0] * QUARTERS)
    after: float = 0.0

    def now(self) -> float:
        """The worker that holds most."""
        return max(memory_of(pid).resident for pid in self.node.workers())

    def look(self, answered: int) -> None:
        quarter = min(answered * QUARTERS // self.requests, QUARTERS - 1)
        self.quarters[quarter] = max(self.quarters[quarter], self.now())

    def check(self) -> Check:
        growth = self.quarters[-1] - self.quarters[0]
        quarters = " ".join(f"{held:.1f}" for held in self.quarters)
        said = (
            f"a worker held {self.before:.1f} MiB before, {quarters} at most in each quarter, "
            f"{self.after:.1f} after: {growth:+.1f} MiB from the first quarter to the last"
        )
        return Check("memory is bounded", growth < GROWTH_MIB, said)


@dataclass(frozen=True, slots=True)
class Run:
    """A mixed load that is over, and what came of it."""

    sampled: Sampled
    memory: MemoryWatch
    seconds: float

    def checks(self) -> list[Check]:
        return [*self.sampled.checks(), self.memory.check()]

    def __str__(self) -> str:
        count = len(self.sampled.sent)
        return f"{count} requests in {self.seconds:.0f} s, {count / self.seconds:.0f} a second"


def measure(folder: Path, *, requests: int, ratio: float, connections: int) -> Run:
    """Send a mixed load to a gateway, end the gateway, and look at what the collector has."""
    sampling = {"ratio": ratio, "slow_request_ms": SLOW_REQUEST_MS}
    with collector_of_its_own() as collector, sampled_node(folder, collector, sampling) as gateway:
        node = gateway.node
        gateway.end_remote()
        memory = MemoryWatch(node, requests)
        memory.before = memory.now()
        began = time.monotonic()
        with mixed_load(node, plan_of(requests), connections=connections, slow_seconds=SLOW_SECONDS) as load:
            while not load.is_over:
                memory.look(load.answered)
                time.sleep(0.2)
            sent = load.sent()
        seconds = time.monotonic() - began
        memory.after = memory.now()
        collector.wait_for(Sampled(sent, {}, ratio, SLOW_REQUEST_MS).expected())
        node.stop()  # what nobody expects has come by now, too
        return Run(Sampled(sent, collector.traces(), ratio, SLOW_REQUEST_MS), memory, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--ratio", type=float, default=0.01)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--minutes", type=float, help="an upload of that length instead of the mixed load")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mizuchi-sampling-", dir="/dev/shm"))
    try:
        if options.minutes:
            checks = measure_long_uploads(folder, seconds=options.minutes * 60)
        else:
            run = measure(
                folder, requests=options.requests, ratio=options.ratio, connections=options.connections
            )
            print(run)
            checks = run.checks()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(str(check) for check in checks))
    return 0 if all(check.is_so for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
