"""Requests note, a thread adds up; an example is a trace that can be looked at."""

from __future__ import annotations

from tests.tracing_app.metrics.metric_samples import DROPPED, KEPT, Samples
from tracing_app.metrics.families import is_measuring, note_in
from tracing_app.metrics.noted import NotedMetrics
from tracing_app.metrics.readings import Distribution, Exemplar, Readings


def noting(trace_ids: list[str]) -> NotedMetrics:
    noted = NotedMetrics(lambda: {KEPT}, wall_clock=lambda: 5.0)
    note_in(noted.notes, lambda: trace_ids.pop(0))
    return noted


def baked(noted: NotedMetrics, samples: Samples) -> Distribution:
    (value,) = Readings(noted.collect()).of(samples.baking).values()
    assert isinstance(value, Distribution)
    return value


def test_nothing_is_noted_where_nothing_is_measured(samples: Samples) -> None:
    samples.cakes.add(("plum",))
    samples.baking.observe(("plum", "200"), 1.0)
    assert not is_measuring()


def test_counts_add_up_by_their_labels(samples: Samples) -> None:
    noted = noting([])
    samples.cakes.add(("plum",))
    samples.cakes.add(("plum",), 2.0)
    samples.cakes.add(("apple",))
    assert is_measuring()
    assert Readings(noted.collect()).of(samples.cakes) == {("plum",): 3.0, ("apple",): 1.0}
    samples.cakes.add(("apple",))
    assert Readings(noted.collect()).of(samples.cakes) == {("plum",): 3.0, ("apple",): 2.0}


def test_a_bound_belongs_to_its_bucket(samples: Samples) -> None:
    noted = noting([DROPPED] * 4)
    for seconds in (0.5, 1.0, 10.0, 10.5):
        samples.baking.observe(("plum", "200"), seconds)
    assert (baked(noted, samples).counts, baked(noted, samples).sum) == ([2, 1, 1], 22.0)


def test_an_example_is_a_trace_that_was_kept(samples: Samples) -> None:
    noted = noting([DROPPED, KEPT, KEPT, ""])
    for seconds in (0.1, 0.2, 0.3, 5.0):
        samples.baking.observe(("plum", "200"), seconds)
    assert baked(noted, samples).exemplars == {0: Exemplar(0.2, KEPT, 5.0)}
