"""Numbers by family and labels: read, added together, and as text that workers leave to each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from .families import Family, Labels


class KeptTraces(Protocol):
    """Knows traces that can be looked at."""

    def __call__(self) -> Container[str]:
        """The ids of those that were kept lately."""


class Exemplar(NamedTuple):
    """One observation of a bucket, and the trace it was made in; ``at`` is Unix time."""

    value: float
    trace_id: str
    at: float


class Distribution:
    """How many observations fell into each bucket (the last: over every bound), and their sum."""

    __slots__ = ("counts", "exemplars", "sum")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.sum = 0.0
        self.exemplars: dict[int, Exemplar] = {}

    def observe(self, bounds: Sequence[float], value: float) -> int:
        """Count a value; the number of its bucket."""
        bucket = bisect_left(bounds, value)
        self.counts[bucket] += 1
        self.sum += value
        return bucket

    def exemplify(self, bucket: int, value: float, trace_id: str, at: float) -> None:
        """Make it the example of its bucket, unless that has one from ``at``."""
        known = self.exemplars.get(bucket)
        if known is None or known.at != at:
            self.exemplars[bucket] = Exemplar(value, trace_id, at)

    def merge(self, other: Distribution) -> None:
        """Add the observations of another with the same bounds; the newer examples stay."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum
        for bucket, exemplar in other.exemplars.items():
            if bucket not in self.exemplars or self.exemplars[bucket].at < exemplar.at:
                self.exemplars[bucket] = exemplar


Value = float | Distribution
Reading = tuple[Family, Labels, Value]


class Readings:
    """Values of series, added together as they come."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self._series: dict[Family, dict[Labels, Value]] = {}
        self.add(readings)

    def add(self, readings: Iterable[Reading]) -> None:
        """Those of one series become one: the sum, or the maximum where the family says so."""
        for family, labels, value in readings:
            series = self._series.setdefault(family, {})
            if isinstance(value, Distribution):
                known = series.get(labels)
                if not isinstance(known, Distribution):
                    known = series[labels] = Distribution(len(family.bounds) + 1)
                known.merge(value)
            elif family.is_maximum:
                series[labels] = max(value, _number(series.get(labels)))
            else:
                series[labels] = _number(series.get(labels)) + value

    def of(self, family: Family) -> Mapping[Labels, Value]:
        """The series of a family."""
        return self._series.get(family, {})

    def all(self, *, without_gauges: bool = False) -> Iterable[Reading]:
        """Every series."""
        for family, series in self._series.items():
            if not (without_gauges and family.kind == "gauge"):
                for labels, value in series.items():
                    yield family, labels, value

    def packed(self) -> list[Any]:
        """As JSON can hold it."""
        return [
            [family.name, [[labels, _packed(value)] for labels, value in series.items()]]
            for family, series in self._series.items()
        ]


def unpacked(packed: Iterable[Any], families: Mapping[str, Family]) -> Iterable[Reading]:
    """What was packed, as far as these families are the same: a worker may run another version's code."""
    for name, series in packed:
        family = families.get(name)
        if family is None:
            continue
        for labels, value in series:
            if not isinstance(value, list):
                yield family, tuple(labels), value
            elif len(value[0]) == len(family.bounds) + 1:
                yield family, tuple(labels), _distribution(value)


def _number(value: Value | None) -> float:
    return value if isinstance(value, int | float) else 0.0


def _packed(value: Value) -> Any:
    if not isinstance(value, Distribution):
        return value
    return [value.counts, value.sum, list(value.exemplars.items())]


def _distribution(packed: list[Any]) -> Distribution:
    counts, total, exemplars = packed
    distribution = Distribution(len(counts))
    distribution.counts, distribution.sum = counts, total
    distribution.exemplars = {bucket: Exemplar(*exemplar) for bucket, exemplar in exemplars}
    return distribution
