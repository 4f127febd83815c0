"""Any worker tells what all of them counted, and what was counted never gets less."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mizuchi_site.config.places import PROJECT_ROOT
from tests.tracing_app.metrics.metric_samples import Samples, board, source
from tracing_app.metrics import board as boards
from tracing_app.metrics.board import Board
from tracing_app.metrics.meter import REPLACEMENTS, STALE_SECONDS, WORKERS, Meter, Place
from tracing_app.metrics.readings import Distribution, Exemplar, Readings


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def meter(samples: Samples, on: Board, number: int, clock: Clock, cakes: float, heat: float = 0.0) -> Meter:
    observed = Distribution(3)
    observed.counts, observed.sum = [0, int(cakes), 0], cakes * 2
    observed.exemplars = {1: Exemplar(2.0, "c" * 32, cakes)}
    counts = source(
        (samples.cakes, ("plum",), cakes),
        (samples.ovens, (), cakes),
        (samples.heat, (), heat),
        (samples.baking, ("plum", "200"), observed),
    )
    return Meter([counts], Place(on, number), clock=clock, wall_clock=clock)


def value(readings: Readings, samples: Samples) -> tuple[object, object, object]:
    return tuple(  # type: ignore[return-value]
        next(iter(readings.of(family).values()), None)
        for family in (samples.cakes, samples.ovens, samples.heat)
    )


def known(samples: Samples) -> None:
    """The meter's own families are none of the test's."""
    from tracing_app.metrics import families

    families._FAMILIES.update({WORKERS.name: WORKERS, REPLACEMENTS.name: REPLACEMENTS})


def test_the_numbers_of_all_are_one_total(samples: Samples, clock: Clock) -> None:
    known(samples)
    with board(3) as on:
        first, second = meter(samples, on, 1, clock, 2.0, 250.0), meter(samples, on, 3, clock, 5.0, 180.0)
        second.publish()
        total = first.total().readings
        assert value(total, samples) == (7.0, 7.0, 250.0)
        assert total.of(WORKERS) == {(): 2.0}
        baking = total.of(samples.baking)["plum", "200"]
        assert isinstance(baking, Distribution)
        assert (baking.counts, baking.sum) == ([0, 7, 0], 14.0)
        assert baking.exemplars[1].value == 2.0
        assert baking.exemplars[1].at == 5.0  # the newer


def test_a_total_is_not_counted_twice(samples: Samples, clock: Clock) -> None:
    with board(2) as on:
        both = [meter(samples, on, number, clock, 1.0) for number in (1, 2)]
        both[1].publish()
        for _ in range(3):
            assert value(both[0].total().readings, samples)[0] == 2.0


def test_what_a_dead_worker_counted_stays_and_how_it_was_goes(samples: Samples, clock: Clock) -> None:
    known(samples)
    with board(2) as on:
        meter(samples, on, 2, clock, 5.0, 999.0).publish()
        clock.now += STALE_SECONDS
        total = meter(samples, on, 1, clock, 2.0, 10.0).total().readings
        assert value(total, samples) == (7.0, 2.0, 10.0)
        assert total.of(WORKERS) == {(): 1.0}


def test_who_takes_its_place_goes_on_from_there(samples: Samples, clock: Clock) -> None:
    known(samples)
    with board(1) as on:
        dead = meter(samples, on, 1, clock, 5.0)
        dead.publish()
        clock.now += 1
        heir = meter(samples, on, 1, clock, 1.0)
        total = heir.total()
        assert value(total.readings, samples) == (6.0, 1.0, 0.0)
        assert total.readings.of(REPLACEMENTS) == {(): 1.0}
        assert total.began_at == 100.0
        assert heir.instance_id == dead.instance_id
        assert meter(samples, on, 1, clock, 1.0).total().readings.of(REPLACEMENTS) == {(): 2.0}


def test_a_worker_of_another_version_is_understood_as_far_as_can_be(samples: Samples, clock: Clock) -> None:
    with board(2) as on:
        distribution = [[1, 2], 3.0, []]  # other bounds
        packed = [
            ["test_unheard_of", [[[], 1.0]]],
            ["test_baking_seconds", [[["plum", "200"], distribution]]],
            ["test_cakes", [[["plum"], 3.0]]],
        ]
        left = {"at": clock(), "began_at": 1.0, "instance_id": "x", "readings": packed}
        on.write(2, json.dumps(left).encode())
        total = meter(samples, on, 1, clock, 1.0).total().readings
        assert value(total, samples)[0] == 4.0


def test_a_slot_has_what_was_written_last() -> None:
    with board(2) as on:
        assert on.read(1) is None
        for text in (b"long enough", b"shorter", b"", b"4"):
            on.write(1, text)
            assert on.read(1) == text
        assert on.read(2) is None
        with pytest.raises(ValueError, match="too many series"):
            on.write(1, bytes(boards.SLOT_BYTES))


@pytest.mark.parametrize("written", [1, 2, 3])
def test_who_dies_over_writing_leaves_what_there_was(written: int) -> None:
    with board(1) as on:
        for number in range(written):
            on.write(1, f"whole {number}".encode())
        torn = boards._HEADER.pack(written + 1, 100, 0) + b"begun"
        boards.os.pwrite(on._fd, torn, boards._offset(1, written + 1))
        assert on.read(1) == f"whole {written - 1}".encode()
        on.write(1, b"again")
        assert on.read(1) == b"again"


def test_a_slot_is_whole_while_it_is_written() -> None:
    """One process writes as fast as it can, another reads."""
    with board(1) as on:
        on.write(1, b"0" * 1000)
        writer = f"""
import sys
from tracing_app.metrics.board import Board
board = Board({on._fd})
for number in range(3000):
    board.write(1, b"%d" % (number % 10) * (1000 + number * 7))
"""
        with subprocess.Popen([sys.executable, "-c", writer], pass_fds=[on._fd], cwd=PROJECT_ROOT) as process:
            lengths = [0]
            while process.poll() is None:
                text = on.read(1)
                assert text is not None
                assert len(set(text)) == 1
                lengths.append(len(text))
        assert lengths == sorted(lengths)


def test_without_a_server_there_is_one_process(samples: Samples) -> None:
    alone = Meter([source((samples.cakes, ("plum",), 2.0))])
    alone.publish()
    assert alone.total().readings.of(samples.cakes) == {("plum",): 2.0}
    assert alone.speaks_for_node
