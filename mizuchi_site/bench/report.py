"""What a benchmark found: rows of figures, for people, for programs and for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .rounds import Spread


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value. ``unit`` is empty for ratios."""

    spread: Spread
    unit: str = ""

    def __str__(self) -> str:
        """The median, and the quartiles when they differ from it."""
        told = f"{_short(self.spread.median)}{self.unit and ' ' + self.unit}"
        low, high = _short(self.spread.low), _short(self.spread.high)
        return told if low == high else f"{told} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by name, each with a figure for every column that it has. ``note``: what else one must know.
    ``lines``, when rows are points of lines: for each line the name of the row by that of the point."""

    title: str
    rows: Mapping[str, Mapping[str, Figure]]
    note: str = ""
    lines: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(column for row in self.rows.values() for column in row))


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark found, by which command, on which machine and day (ISO 8601)."""

    benchmark: str
    about: str
    command: str
    machine: Mapping[str, str]
    measured_on: str
    tables: Sequence[Table]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        yield f"{self.benchmark}, {self.about}: {self.command}"
        yield ", ".join(f"{name} {value}" for name, value in self.machine.items())
        for table in self.tables:
            yield ""
            yield table.title
            yield from _aligned(_cells(table))
            if table.note:
                yield table.note

    def markdown(self) -> Iterator[str]:
        """For the documentation."""
        yield f"## {self.benchmark}"
        yield ""
        yield f"{self.about[0].upper()}{self.about[1:]}: `{self.command}`"
        for table in self.tables:
            yield ""
            yield f"{table.title}:"
            yield ""
            head, *rows = _cells(table)
            yield f"| {' | '.join(head)} |"
            yield f"|{'---|' * len(head)}"
            for row in rows:
                yield f"| {' | '.join(row)} |"
            if table.note:
                yield from ("", table.note)
        yield ""


def _cells(table: Table) -> list[list[str]]:
    columns = table.columns
    rows = [
        [name, *(str(row[column]) if column in row else "" for column in columns)]
        for name, row in table.rows.items()
    ]
    return [["", *columns], *rows]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join([first, *others]).rstrip()


def _short(value: float) -> str:
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
