"""Workers and gateways that end, in good order and not, while traces wait for the collector."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.endurance.node import Node, running_node
from tests.endurance.retrying import client_of
from tests.endurance.steady import Exchange, steady_load
from tests.servers.otlp_receiver import Accept, BlackHole, Fail, OtlpReceiver, otlp_receiver

pytestmark = pytest.mark.slow

# How long before its end a worker may have answered an upload whose trace it had not written down: the
# delay of a batch and one failing try, generously.
IN_MEMORY_SECONDS = 2.5


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver("http/protobuf") as made:
        yield made


def new_node(
    folder: Path, receiver: OtlpReceiver, *, delay_millis: int = 100, timeout: float = 0.5, **more: Any
) -> Node:
    tracing = {
        "otlp": {
            "endpoint": receiver.endpoint,
            "protocol": receiver.protocol,
            "timeout_seconds": timeout,
        },
        "batch": {"scheduled_delay_millis": delay_millis},
        "breaker": {"failures": 2, "reset_seconds": 0.3},
    }
    spool = more.pop("spool", None)
    sections = {"tracing": {**tracing, **({"spool": {"directory": str(spool)}} if spool else {})}}
    return Node(folder, sections=sections, **more)


def missing(receiver: OtlpReceiver, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """The uploads that were answered with 200 and have no trace at the collector."""
    arrived = {f"{number:032x}" for number in receiver.trace_ids()}
    return [
        exchange for exchange in exchanges if exchange.status == 200 and exchange.request_id not in arrived
    ]


def spooled_files(node: Node) -> int:
    directory = node.folder / "var" / "spool"
    return len(list(directory.iterdir())) if directory.exists() else 0


def lasting(exchanges: Sequence[Exchange], killed_at: float) -> list[Exchange]:
    """All but those that a worker killed then may have had in memory only."""
    return [
        each
        for each in exchanges
        if not killed_at - IN_MEMORY_SECONDS < each.began + each.milliseconds / 1e3 < killed_at + 0.1
    ]


def test_a_worker_that_is_killed_leaves_its_spool_to_the_others(
    receiver: OtlpReceiver, tmp_path: Path
) -> None:
    with running_node(new_node(tmp_path, receiver)) as node:
        receiver.behaviour = Fail()
        with steady_load(node, connections=8, per_second=200) as load:
            load.wait(800)
            victim = node.workers()[0]
            killed_at = time.monotonic()
            node.kill_worker(victim)
            node.wait_until_replaced(victim, 2)
            load.wait(200)
            receiver.behaviour = Accept()
            load.wait(100)
        assert all(abs(each.began - killed_at) < 3 for each in load.failures)
        certain = lasting(load.exchanges, killed_at)
        assert len(certain) > 500
        node.wait(lambda: not missing(receiver, certain), "delivered")
        node.wait(lambda: spooled_files(node) == 0, "emptied")


def test_a_gateway_that_is_killed_delivers_what_it_had_spooled(
    receiver: OtlpReceiver, tmp_path: Path
) -> None:
    with running_node(new_node(tmp_path, receiver)) as node:
        receiver.behaviour = Fail()
        with steady_load(node, per_second=200) as load:
            load.wait(700)
        killed_at = time.monotonic()
        node.kill()
        receiver.behaviour = Accept()
        certain = lasting(load.exchanges, killed_at)
        assert len(certain) > 100
        node.start()
        node.wait(lambda: not missing(receiver, certain), "delivered")


def test_two_gateways_with_one_spool_send_each_trace_once(receiver: OtlpReceiver, tmp_path: Path) -> None:
    receiver.behaviour = Fail()
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(running_node(new_node(tmp_path / name, receiver, spool=tmp_path / "spool")))
            for name in ("one", "two")
        ]
        loads = [stack.enter_context(steady_load(node)) for node in nodes]
        for load in loads:
            load.wait(200)
        nodes[0].stop()
        receiver.behaviour = Accept()
        loads[1].wait(50)
        nodes[1].wait(lambda: not list((tmp_path / "spool").iterdir()), "emptied")
        nodes[1].stop()
    assert loads[1].failures == [] or all(each.status == 0 for each in loads[1].failures)
    for load in loads:
        assert len(load.request_ids) >= 200
        assert missing(receiver, load.exchanges) == []
    times = Counter(span.span_id for span in receiver.spans())
    assert max(times.values()) == 1


def test_a_gateway_told_to_stop_while_it_replays_stops_in_time_and_loses_nothing(
    receiver: OtlpReceiver, tmp_path: Path
) -> None:
    with running_node(new_node(tmp_path, receiver)) as node:
        receiver.behaviour = Fail()
        with steady_load(node, per_second=200) as load:
            load.wait(800)
        node.wait(lambda: spooled_files(node) > 10, "spooled")
        receiver.behaviour = Accept(seconds=0.3)
        before = len(receiver.requests)
        node.wait(lambda: len(receiver.requests) > before, "replaying")
        assert spooled_files(node) > 0
        code, seconds = node.stop()
        assert (code, seconds < 5) == (0, True), seconds
        receiver.behaviour = Accept()
        node.start()
        node.wait(lambda: not missing(receiver, load.exchanges), "delivered")


def test_traces_are_kept_when_the_time_to_drain_is_over(receiver: OtlpReceiver, tmp_path: Path) -> None:
    """A worker whose uploads are cut still has to write down the traces that it cannot send."""
    server = {"workers": 2, "drain_seconds": 2}
    node = new_node(tmp_path, receiver, delay_millis=60_000, timeout=3.0, server=server)
    with running_node(node):
        receiver.behaviour = BlackHole()
        with steady_load(node, per_second=50) as load:
            load.wait(100)
        with ExitStack() as stack:
            for number in range(8):  # so many that each worker has one
                sending = stack.enter_context(
                    client_of(node).begin("PUT", f"/files/slow{number}", length=10_000)
                )
                sending.send(b"x")
            node.wait(lambda: len(node.records()) >= 108, "begun")
            code, _ = node.stop()
        assert code == 0
        receiver.behaviour = Accept()
        receiver.released.set()
        node.start()
        node.wait(lambda: not missing(receiver, load.exchanges), "delivered")
