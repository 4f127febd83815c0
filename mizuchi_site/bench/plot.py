"""The figures of reports as a picture: a chart of bars or lines for each column of a table."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence

from .plot_lines import STYLE as LINES_STYLE
from .plot_lines import lines_chart
from .report import Figure, Report, Table

_BAR, _VALUE, _ROW, _HEAD = 360, 120, 22, 40
_LETTER = 7  # the width of one, about
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600}"
    ".bar{fill:#5ba3b5}.quartiles{stroke:#12515f;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.quartiles{stroke:#cdecf2}}"
)


def plot(reports: Sequence[Report]) -> bytes:
    """An SVG document: bars begin at 0 and end at medians, strokes reach from quartile to quartile."""
    names = [name for report in reports for table in report.tables for name in table.rows]
    label = _LETTER * max(map(len, names))
    charts = [
        chart for report in reports for table in report.tables for chart in _charts(report, table, label)
    ]
    heights = [int(chart.attrib["height"]) for chart in charts]
    root = ET.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        width=str(label + _BAR + _VALUE),
        height=str(sum(heights)),
        role="img",
    )
    ET.SubElement(root, "style").text = LINES_STYLE + _STYLE
    for number, chart in enumerate(charts):
        chart.set("y", str(sum(heights[:number])))
        root.append(chart)
    document: bytes = ET.tostring(root)
    return document


def _charts(report: Report, table: Table, label: int) -> Iterator[ET.Element]:
    for column in table.columns:
        title = f"{report.benchmark}, {table.title}: {column}"
        if table.lines:
            yield lines_chart(title, _lines(table, column))
        else:
            figures = {name: row[column] for name, row in table.rows.items() if column in row}
            yield _chart(title, figures, label)


def _lines(table: Table, column: str) -> dict[str, dict[str, Figure]]:
    """A line has the points that have something in the column, which may be none."""
    return {
        name: {point: table.rows[row][column] for point, row in line.items() if column in table.rows[row]}
        for name, line in table.lines.items()
    }


def _chart(title: str, figures: Mapping[str, Figure], label: int) -> ET.Element:
    chart = ET.Element("svg", height=str(_HEAD + _ROW * len(figures)))
    _text(chart, 0, 24, title).set("class", "title")
    highest = max(figure.spread.high for figure in figures.values())
    scale = _BAR / highest if highest > 0 else 0
    for number, (name, figure) in enumerate(figures.items()):
        top, spread = _HEAD + _ROW * number, figure.spread
        low, median, high = (
            label + max(value, 0) * scale for value in (spread.low, spread.median, spread.high)
        )
        middle = f"{top + _ROW / 2 - 4:g}"
        _text(chart, 0, top + 12, name)
        bar = {
            "x": str(label),
            "y": str(top),
            "width": f"{median - label:.1f}",
            "height": "14",
            "class": "bar",
        }
        ET.SubElement(chart, "rect", bar)
        stroke = {"x1": f"{low:.1f}", "x2": f"{high:.1f}", "y1": middle, "y2": middle, "class": "quartiles"}
        ET.SubElement(chart, "line", stroke)
        _text(chart, max(high, median) + 6, top + 12, _value(figure))
    return chart


def _value(figure: Figure) -> str:
    return str(figure).partition(" (")[0]


def _text(parent: ET.Element, x: float, y: float, content: str) -> ET.Element:
    element = ET.SubElement(parent, "text", x=f"{x:.1f}", y=f"{y:g}")
    element.text = content
    return element
