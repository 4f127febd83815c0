"""``manage.py bench``: measure the gateway on this machine."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from mizuchi_site.bench.catalogue import BENCHMARKS
from mizuchi_site.bench.failures import BenchmarkFailed
from mizuchi_site.bench.machine import machine_facts
from mizuchi_site.bench.page import page
from mizuchi_site.bench.plot import plot
from mizuchi_site.bench.report import Report
from mizuchi_site.bench.room import MEMORY_FOLDER


class Command(BaseCommand):
    help = (
        "Measure the gateway on this machine: real servers of its own, both sides of a comparison in turns, "
        "medians with quartiles. Without a name, all: "
        + "; ".join(f"{name}: {each.about}" for name, each in BENCHMARKS.items())
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="*", choices=[[], *BENCHMARKS], help="which; default: all")
        parser.add_argument("--quick", action="store_true", help="under a minute each, with a wider spread")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the figures, too")
        parser.add_argument("--markdown", type=Path, metavar="FILE.md", help="write the figures, too")
        parser.add_argument(
            "--folder", type=Path, help="where servers keep their files; default: memory, or TMPDIR"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names: list[str] = options["name"] or list(BENCHMARKS)
        reports, failures = [], []
        for name in names:
            try:
                reports.append(_run(name, options["quick"], options["folder"]))
            except BenchmarkFailed as error:
                failures.append(f"{name}: {error}")
        if reports:
            self._tell(reports, options)
        if failures:
            raise CommandError("\n".join(failures))

    def _tell(self, reports: Sequence[Report], options: Mapping[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps([report.as_json() for report in reports], indent=1))
        else:
            for report in reports:
                self.stdout.write("\n".join([*report.lines(), ""]))
        if options["markdown"]:
            options["markdown"].write_text(page(reports))
        if options["plot"]:
            options["plot"].write_bytes(plot(reports))


def _run(name: str, is_quick: bool, folder: Path | None) -> Report:
    """Raises BenchmarkFailed."""
    benchmark, machine = BENCHMARKS[name], machine_facts()
    where = folder or (MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None)
    room = Path(tempfile.mkdtemp(prefix="mizuchi-bench-", dir=where))
    try:
        with tqdm(total=benchmark.steps(is_quick), desc=name, file=sys.stderr, disable=None) as bar:
            tables = benchmark.measure(room, is_quick=is_quick, on_turn=partial(_step, bar))
    finally:
        shutil.rmtree(room, ignore_errors=True)
    command = f"manage.py bench {name}{' --quick' if is_quick else ''}"
    return Report(name, benchmark.about, command, machine, f"{date.today():%Y-%m-%d}", tables)


def _step(bar: tqdm[Any]) -> None:
    bar.update()
