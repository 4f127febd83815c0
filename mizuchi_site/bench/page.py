"""All reports of a run as one page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .report import Report

_HEAD = """\
# Benchmarks

`make bench` writes this page; each section names the command that measures it alone. What is compared takes
turns in one run, after a warm-up, with real servers and processes of their own. A figure is the median of all
turns, in brackets the quartiles; one without was measured once. Ratios are of neighbours in time, so what
disturbs the machine disturbs both sides. Ratios and orders hold elsewhere, other figures for this machine.
"""


def page(reports: Sequence[Report]) -> str:
    """Markdown; there is one report at least. The machine is that of the first."""
    return "\n".join([_HEAD, *_machine(reports[0]), *(line for each in reports for line in each.markdown())])


def _machine(report: Report) -> Iterator[str]:
    yield f"Measured on {report.measured_on}:"
    yield ""
    yield "| machine | |"
    yield "|---|---|"
    yield from (f"| {name} | {value} |" for name, value in report.machine.items())
    yield ""
