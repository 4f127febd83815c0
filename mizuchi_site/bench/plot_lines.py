"""How figures grow along the points of lines: a chart in which those of one column can be compared."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .report import Figure

STYLE = (
    ".line{fill:none;stroke-width:2}.of-0{stroke:#5ba3b5}.of-1{stroke:#b5725b}.of-2{stroke:#6a4fa3}"
    ".of-3{stroke:#4f9a4a}.axis{stroke:#999}.end{text-anchor:end}.middle{text-anchor:middle}"
)
_COLOURS = 4
_LEFT, _TOP, _WIDTH, _HEIGHT, _FOOT = 80, 44, 320, 150, 34
_LEGEND_ROW = 20

Line = Mapping[str, Figure]
"""A figure for each point, by what the point is called; neighbours are equally far apart."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values are in the chart: points from left to right, 0 at the bottom."""

    points: Sequence[str]
    highest: float

    def x(self, point: str) -> float:
        return _LEFT + _WIDTH * (self.points.index(point) + 0.5) / len(self.points)

    def y(self, value: float) -> float:
        share = value / self.highest if self.highest > 0 else 0
        return _TOP + _HEIGHT * (1 - max(share, 0))


def lines_chart(title: str, lines: Mapping[str, Line]) -> ET.Element:
    """Medians are joined, strokes reach from quartile to quartile; the legend is beside it. A line without
    points is left out, and keeps its colour for other charts. One has a point at least."""
    points = list(dict.fromkeys(point for line in lines.values() for point in line))
    figures = [figure for line in lines.values() for figure in line.values()]
    scale = Scale(points, max(figure.spread.high for figure in figures))
    chart = ET.Element("svg", height=str(_TOP + _HEIGHT + _FOOT))
    _text(chart, 0, 24, title, "title")
    _axes(chart, scale, figures[0].unit)
    for number, (name, line) in enumerate(lines.items()):
        if line:
            kind = f"line of-{number % _COLOURS}"
            chart.extend(_drawn(line, scale, kind))
            _legend(chart, name, kind, _TOP + _LEGEND_ROW * (number + 0.5))
    return chart


def _legend(chart: ET.Element, name: str, kind: str, y: float) -> None:
    left, height = _LEFT + _WIDTH + 20, f"{y - 4:g}"
    stroke = {"x1": f"{left}", "x2": f"{left + 24}", "y1": height, "y2": height, "class": kind}
    ET.SubElement(chart, "line", stroke)
    _text(chart, left + 32, y, name)


def _axes(chart: ET.Element, scale: Scale, unit: str) -> None:
    bottom = _TOP + _HEIGHT
    for value in (0, scale.highest / 2, scale.highest):
        height = f"{scale.y(value):.1f}"
        grid = {"x1": f"{_LEFT}", "x2": f"{_LEFT + _WIDTH}", "y1": height, "y2": height, "class": "axis"}
        ET.SubElement(chart, "line", grid)
        _text(chart, _LEFT - 6, scale.y(value) + 4, f"{value:,.3g} {unit}".strip(), "end")
    for point in scale.points:
        _text(chart, scale.x(point), bottom + 18, point, "middle")


def _drawn(line: Line, scale: Scale, kind: str) -> Iterator[ET.Element]:
    at = {point: (scale.x(point), figure.spread) for point, figure in line.items()}
    joined = " ".join(f"{x:.1f},{scale.y(spread.median):.1f}" for x, spread in at.values())
    yield ET.Element("polyline", {"points": joined, "class": kind})
    for x, spread in at.values():
        low, high = f"{scale.y(spread.low):.1f}", f"{scale.y(spread.high):.1f}"
        yield ET.Element("line", {"x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": low, "y2": high, "class": kind})


def _text(parent: ET.Element, x: float, y: float, content: str, kind: str = "") -> None:
    element = ET.SubElement(parent, "text", {"x": f"{x:.1f}", "y": f"{y:g}", "class": kind})
    element.text = content
