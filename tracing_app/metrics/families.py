"""What is measured: families of metrics, declared beside the code that measures them.

A request only notes what happened, which is one atomic step without a lock; ``noted`` adds it up elsewhere.
Names are those of Prometheus ("Metric and label naming"), with base units; a counter's ends in ``_total``
where it is shown. ``otlp`` names and attributes follow the OpenTelemetry semantic conventions where they have
one. Labels are few in their values: never a key, a principal, an address or anything a client made up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Unit = Literal["", "seconds", "bytes"]
Labels = tuple[str, ...]

SECONDS_BOUNDS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 60.0, 600.0),
)
"""Upper bounds of durations: those of ``http.server.request.duration`` in the semantic conventions, and two
for uploads that take minutes."""
CALL_BOUNDS: Final = (0.0005, 0.001, 0.0025, *SECONDS_BOUNDS[:9], 1.0, 2.5, 5.0, 10.0)
"""Those of a call to what stands near: a storage, a policy engine."""
BYTES_BOUNDS: Final = tuple(float(1024 * 4**power) for power in range(12))
"""Upper bounds of sizes: 1 KiB, 4 KiB and so on to 4 GiB."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label as Prometheus has it, and as an attribute in OTLP; ``is_number``: there it is a number."""

    name: str
    attribute: str
    is_number: bool = False


Note = tuple["Family", Labels, float, str]
"""What a request noted: an amount or, with the trace id, an observation."""


class _Noting:
    """Where this process notes; None: nothing is measured."""

    notes: deque[Note] | None = None
    trace_id: Callable[[], str]


class Family:
    """Metrics of one name. Its series are told apart by the values of ``labels``, in their order.

    ``name`` is without ``_total``. ``is_maximum``: what several workers say is one thing, not to be added.
    ``constants`` are attributes in OTLP that are always the same. Raises ValueError for a name that is taken.
    """

    kind: Kind
    bounds: Sequence[float] = ()

    def __init__(
        self,
        name: str,
        description: str,
        *,
        otlp: str,
        labels: Sequence[Label] = (),
        unit: Unit = "",
        is_maximum: bool = False,
        constants: Mapping[str, str] | None = None,
    ) -> None:
        if name in _FAMILIES:
            raise ValueError(f"there are metrics named {name} already")
        self.name = name
        self.description = description
        self.otlp = otlp
        self.labels = tuple(labels)
        self.unit = unit
        self.is_maximum = is_maximum
        self.constants = dict(constants or {})
        _FAMILIES[name] = self


class Counter(Family):
    """Only grows, until the server is started anew."""

    kind = "counter"

    def add(self, labels: Labels = (), amount: float = 1.0) -> None:
        """Note that it grew."""
        notes = _Noting.notes
        if notes is not None:
            notes.append((self, labels, amount, ""))


class Gauge(Family):
    """How something is at the moment."""

    kind = "gauge"


class Histogram(Family):
    """How often values were observed up to each of ``bounds``. An observation may have a trace as example."""

    kind = "histogram"

    def __init__(
        self,
        name: str,
        description: str,
        *,
        otlp: str,
        bounds: Sequence[float],
        labels: Sequence[Label] = (),
        unit: Unit,
        constants: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, description, otlp=otlp, labels=labels, unit=unit, constants=constants)
        self.bounds = tuple(bounds)

    def observe(self, labels: Labels, value: float) -> None:
        """Note a value, with the trace of the request that is served."""
        notes = _Noting.notes
        if notes is not None:
            notes.append((self, labels, value, _Noting.trace_id()))


_FAMILIES: Final[dict[str, Family]] = {}


def declared_families() -> Mapping[str, Family]:
    """All that were declared so far, by name."""
    return _FAMILIES


def is_measuring() -> bool:
    """Whether what is noted is added up: whoever must look at a clock for it need not, otherwise."""
    return _Noting.notes is not None


def note_in(notes: deque[Note], trace_id: Callable[[], str]) -> None:
    """Note there from now on; ``trace_id`` is that of the request that is served."""
    _Noting.notes, _Noting.trace_id = notes, trace_id
