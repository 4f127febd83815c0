"""``manage.py sampling_dry_run``: what other sampling settings would have kept of the traces kept here."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from tracing_app.apps import tracing_config
from tracing_app.config import SamplingConfig
from tracing_app.live.overrides import OverridesInvalid, apply_overrides
from tracing_app.sampling.dry_run import DryRun
from tracing_app.store.estimate import estimate

WRONG, NOTHING = 1, 2


class Command(BaseCommand):
    help = (
        "Judge the newest traces of the local store by the sampling settings of FILE (YAML: the keys of "
        "tracing.sampling, or a whole config.yaml). Exit codes: 0 done, 1 FILE is wrong, 2 nothing is stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--traces", type=int, default=5000, metavar="N", help="look at the newest N")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        sampling = self._sampling(options["file"])
        try:
            run = estimate(sampling, newest=max(options["traces"], 1))
        except (OperationalError, ProgrammingError) as error:
            self.stderr.write(f"There is no store of traces to read ({error}). Is tracing.local_store on?")
            sys.exit(NOTHING)
        if not run.looked_at:
            self.stderr.write("No traces are kept here to judge.")
            sys.exit(NOTHING)
        if options["json"]:
            self.stdout.write(json.dumps(run.as_json()))
        else:
            self._print(run)

    def _sampling(self, file: Path) -> SamplingConfig:
        try:
            written = yaml.safe_load(file.read_text())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            self._refuse(f"{file} is no YAML: {error}")
        for section in ("tracing", "sampling"):
            if isinstance(written, Mapping) and section in written:
                written = written[section]
        if not isinstance(written, Mapping):
            self._refuse(f"{file} must have the keys of tracing.sampling, like ratio and rules.")
        overrides = {f"sampling.{key}": value for key, value in written.items()}
        try:
            return apply_overrides(tracing_config().sampling, overrides).sampling
        except OverridesInvalid as error:
            self._refuse("\n".join(f"{fault.path}: {fault.problem}" for fault in error.faults))

    def _refuse(self, problem: str) -> NoReturn:
        self.stderr.write(problem)
        sys.exit(WRONG)

    def _print(self, run: DryRun) -> None:
        pace = f"{run.spans_per_second:.1f} spans/s, {run.bytes_per_day / 1e6:.1f} MB a day"
        self.stdout.write(
            f"Of about {run.total.traces:.0f} traces ({run.looked_at} kept ones looked at) it would keep "
            f"{run.total.ratio:.1%}: {pace}"
        )
        for title, shares in (
            ("by reason", run.by_reason),
            ("by bucket", run.by_bucket),
            ("by operation", run.by_operation),
        ):
            self.stdout.write(f"\n{title:32} {'traces':>10} {'kept':>10} {'share':>8}")
            for name, share in sorted(shares.items(), key=lambda item: -item[1].traces):
                self.stdout.write(
                    f"  {name:30.30} {share.traces:>10.0f} {share.kept_traces:>10.0f} {share.ratio:>8.1%}"
                )
