"""Outages of the collector under a gateway in use: no upload notices, no trace is lost untold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.endurance.collector_outages import (
    OUTAGES,
    Collector,
    Outage,
    Protocol,
    collector_before,
    needs_mount_namespace,
)
from tests.endurance.memory import memory_of
from tests.endurance.node import Node, running_node
from tests.endurance.steady import Exchange, SteadyLoad, steady_load

pytestmark = pytest.mark.slow

EXPORT_LINE = re.compile(r".*mizuchi\.tracing\.export.*")
LOST_LINE = re.compile(r"trace export has ended: (\d+) traces were lost")
# Each worker may tell that it fails, spools, loses or is refused, and that it has recovered.
LINES_PER_OUTAGE = 4
GROWTH_MIB = 48
EXIT_SECONDS = 5.0
# Each outage once, by either protocol in turns: `make outages` has them all by both. Those that can share a
# gateway come one after the other.
CASES = sorted(
    ((outage, outage.protocols[number % len(outage.protocols)]) for number, outage in enumerate(OUTAGES)),
    key=lambda case: (case[0].needs, case[1]),
)


def tracing(collector: Collector, **more: Any) -> dict[str, Any]:
    """The section, with the times of a test."""
    return {
        "otlp": {**collector.otlp, "timeout_seconds": 0.5},
        "batch": {"scheduled_delay_millis": 100},
        "breaker": {"failures": 2, "reset_seconds": 0.3},
        **more,
    }


@dataclass(slots=True)
class Scene:
    """A gateway of two workers, its collector, all that clients were told, and where its log was before."""

    node: Node
    collector: Collector
    exchanges: list[Exchange]
    log_start: int

    @contextmanager
    def load(self) -> Iterator[SteadyLoad]:
        with steady_load(self.node, per_second=200, number=len(self.exchanges)) as load:
            yield load
        self.exchanges += load.exchanges

    @property
    def failures(self) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.status != 200]

    @property
    def missing(self) -> set[str]:
        """Request ids that clients have and the collector has not."""
        arrived = {f"{number:032x}" for number in self.collector.receiver.trace_ids()}
        return {exchange.request_id for exchange in self.exchanges if exchange.status == 200} - arrived

    @property
    def told_lost(self) -> int:
        """Traces that workers said were lost when they ended."""
        return sum(int(count) for count in LOST_LINE.findall(self._log))

    @property
    def export_lines(self) -> list[str]:
        return EXPORT_LINE.findall(self._log)

    @property
    def _log(self) -> str:
        return self.node.log.read_bytes()[self.log_start :].decode()

    def memory(self) -> dict[int, float]:
        return {pid: memory_of(pid).resident for pid in self.node.workers()}


class Stage:
    """The gateway that outages of one kind share: each leaves it started anew, and its collector well."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._kind: tuple[str, Protocol] | None = None
        self._running = ExitStack()

    @contextmanager
    def scene(self, outage: Outage, protocol: Protocol) -> Iterator[Scene]:
        if self._kind != (outage.needs, protocol):
            self.close()
            self._start(outage, protocol)
        try:
            yield Scene(self._node, self._collector, [], self._node.log.stat().st_size)
        except BaseException:
            self.close()  # the next one gets a gateway without a past
            raise

    def _start(self, outage: Outage, protocol: Protocol) -> None:
        if outage.needs == "nameserver":
            needs_mount_namespace()
        folder = self._folders.mktemp("outages")
        self._collector = self._running.enter_context(collector_before(outage, protocol, folder))
        sections = {"tracing": tracing(self._collector)}
        self._node = Node(folder / "node", sections=sections, run_by=self._collector.run_by)
        self._running.enter_context(running_node(self._node))
        self._kind = outage.needs, protocol

    def close(self) -> None:
        self._kind = None
        self._running.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with closing(Stage(tmp_path_factory)) as stage:
        yield stage


@pytest.mark.parametrize(
    ("outage", "protocol"), CASES, ids=[f"{each.name}-{spoken}" for each, spoken in CASES]
)
def test_no_upload_notices_an_outage_and_no_trace_is_lost_untold(
    outage: Outage, protocol: Protocol, stage: Stage
) -> None:
    with stage.scene(outage, protocol) as play:
        node, collector = play.node, play.collector
        with play.load() as load:
            load.wait(100)
            before = play.memory()
            outage.begin(collector)
            load.wait(200)
            outage.end(collector)
            load.wait(50)
        if outage.keeps_all:
            node.wait(lambda: not play.missing, "delivered")
        assert play.memory().keys() == before.keys(), "a worker died"
        assert max(play.memory()[pid] - before[pid] for pid in before) < GROWTH_MIB

        with play.load() as load:
            load.wait(20)
            outage.begin(collector)
            load.wait(100)
        code, seconds = node.stop()

        assert (code, seconds < EXIT_SECONDS) == (0, True), seconds
        assert play.failures == []
        lines = play.export_lines
        assert len(lines) <= 2 * 2 * LINES_PER_OUTAGE, "\n".join(lines)
        outage.end(collector)
        node.start()
        node.wait(lambda: len(play.missing) == play.told_lost, "delivered or told")
        assert outage.keeps_all is (play.told_lost == 0)


def test_without_a_collector_traces_can_go_to_the_console(tmp_path: Path) -> None:
    tracing = {"console": True, "batch": {"scheduled_delay_millis": 100}}
    with running_node(Node(tmp_path, sections={"tracing": tracing})) as node:
        with steady_load(node) as load:
            load.wait(10)
        lines = [f'trace {each} "PUT s3.PutObject"' for each in load.request_ids]
        node.wait(lambda: all(line in node.log.read_text() for line in lines), "on the console")
