"""Reports, as lines, JSON, Markdown and a picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

from mizuchi_site.bench.plot import plot
from mizuchi_site.bench.report import Figure, Report, Table
from mizuchi_site.bench.rounds import Spread

REPORT = Report(
    "overhead",
    "what tracing costs",
    "manage.py bench overhead",
    {"cores": "2"},
    "2026-01-31",
    [
        Table(
            "PUT 1 KiB",
            {
                "off": {"CPU": Figure(Spread(1234.5, 1200, 1300), "us")},
                "on": {
                    "CPU": Figure(Spread(1300, 1300, 1300), "us"),
                    "CPU to off": Figure(Spread(1.0456, 1.03, 1.06)),
                },
            },
        )
    ],
)


def test_lines_are_aligned_and_say_how_far_values_spread() -> None:
    assert list(REPORT.lines()) == [
        "overhead, what tracing costs: manage.py bench overhead",
        "cores 2",
        "",
        "PUT 1 KiB",
        "     CPU                        CPU to off",
        "off  1,234 us (1,200 to 1,300)",
        "on   1,300 us                   1.046 (1.030 to 1.060)",
    ]


def test_markdown_is_a_table() -> None:
    lines = list(REPORT.markdown())
    assert lines[:3] == ["## overhead", "", "What tracing costs: `manage.py bench overhead`"]
    assert "| off | 1,234 us (1,200 to 1,300) |  |" in lines
    assert "| on | 1,300 us | 1.046 (1.030 to 1.060) |" in lines


def test_json_holds_every_value() -> None:
    told = json.loads(json.dumps(REPORT.as_json()))
    assert told["tables"][0]["rows"]["on"]["CPU to off"]["spread"] == {
        "median": 1.0456,
        "low": 1.03,
        "high": 1.06,
    }


def test_the_picture_is_an_svg_with_a_chart_for_each_column() -> None:
    root = ET.fromstring(plot([REPORT]))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root.findall("{*}svg")) == 2
    assert "1.046" in ET.tostring(root, encoding="unicode")


def test_rows_that_are_points_of_lines_are_drawn_as_lines() -> None:
    values = {"one": {"1": 5.0, "8": 90.0}, "two": {"1": 6.0, "8": 40.0}}
    lines = {side: {point: f"{side}, {point} at once" for point in line} for side, line in values.items()}
    rows = {
        lines[side][point]: {"p99": Figure(Spread(value, value, value), "ms")}
        for side, line in values.items()
        for point, value in line.items()
    }
    report = replace(REPORT, tables=[Table("By nodes", rows, lines=lines)])
    (chart,) = ET.fromstring(plot([report])).findall("{*}svg")
    one, two = (
        [float(point.split(",")[1]) for point in line.attrib["points"].split()]
        for line in chart.findall("{*}polyline")
    )
    assert one[0] > two[0] > two[1] > one[1], "more is higher up"
    assert {"one", "two", "1", "8"} <= {text.text for text in chart.findall("{*}text")}
