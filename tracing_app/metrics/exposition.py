"""Metrics as Prometheus reads them: its text format 0.0.4, and OpenMetrics 1.0, which has exemplars.

Sources: prometheus.io, "Exposition formats"; prometheus/OpenMetrics, ``specification/OpenMetrics.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from .families import Family, Labels
from .readings import Distribution, Exemplar, Readings, Value

TEXT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
EXEMPLAR_SECONDS: Final = 3600.0
"""An older trace may be gone from where it was kept."""


def prefers_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is what a reader would rather have than text (RFC 9110, 12.5.1)."""
    wanted = {"application/openmetrics-text": 0.0, "text/plain": 0.0, "*/*": 0.0}
    for item in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in item.split(";"))
        if media_type in wanted:
            wanted[media_type] = max(wanted[media_type], _quality(parameters))
    openmetrics = wanted["application/openmetrics-text"]
    return openmetrics > 0 and openmetrics >= max(wanted["text/plain"], wanted["*/*"])


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0.0 <= quality <= 1.0 else 0.0
    return 1.0


def as_text(families: Iterable[Family], readings: Readings) -> str:
    """In the text format: without exemplars and units."""
    return "".join(
        line
        for family in families
        for line in (
            *_head(family, _sample_name(family), has_unit=False),
            *_samples(family, readings, exemplars_since=math.inf),
        )
    )


def as_openmetrics(families: Iterable[Family], readings: Readings, *, now: float) -> str:
    """In OpenMetrics, with the traces of observations; ``now`` is Unix time."""
    lines = [
        line
        for family in families
        for line in (
            *_head(family, family.name, has_unit=True),
            *_samples(family, readings, exemplars_since=now - EXEMPLAR_SECONDS),
        )
    ]
    return "".join([*lines, "# EOF\n"])


def _sample_name(family: Family) -> str:
    return f"{family.name}_total" if family.kind == "counter" else family.name


def _head(family: Family, name: str, *, has_unit: bool) -> Iterator[str]:
    yield f"# HELP {name} {family.description}\n"
    yield f"# TYPE {name} {family.kind}\n"
    if has_unit and family.unit:
        yield f"# UNIT {name} {family.unit}\n"


def _samples(family: Family, readings: Readings, *, exemplars_since: float) -> Iterator[str]:
    names = [label.name for label in family.labels]
    for labels, value in sorted(readings.of(family).items(), key=lambda series: series[0]):
        shown = _shown(names, labels)
        if isinstance(value, Distribution):
            yield from _buckets(family, value, shown, exemplars_since)
        else:
            yield f"{_sample_name(family)}{_braced(shown)} {_number(value)}\n"


def _buckets(family: Family, value: Distribution, shown: str, exemplars_since: float) -> Iterator[str]:
    bounds = (*map(_number, map(float, family.bounds)), "+Inf")
    comma = "," if shown else ""
    total = 0
    for bucket, (bound, total) in enumerate(zip(bounds, accumulate(value.counts), strict=True)):
        exemplar = value.exemplars.get(bucket)
        example = _example(exemplar) if exemplar and exemplar.at >= exemplars_since else ""
        yield f'{family.name}_bucket{{{shown}{comma}le="{bound}"}} {total}{example}\n'
    yield f"{family.name}_sum{_braced(shown)} {_number(value.sum)}\n"
    yield f"{family.name}_count{_braced(shown)} {total}\n"


def _example(exemplar: Exemplar) -> str:
    return f' # {{trace_id="{exemplar.trace_id}"}} {_number(exemplar.value)} {exemplar.at:.3f}'


def _shown(names: Sequence[str], labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, labels, strict=True))


def _braced(shown: str) -> str:
    return f"{{{shown}}}" if shown else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: Value) -> str:
    return repr(value)
