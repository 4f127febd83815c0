"""``manage.py tracing_check``: is the collector reachable, and does it take a span?"""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand

from tracing_app.apps import tracing_config
from tracing_app.check_export import Step, check_export
from tracing_app.exporting.config import OtlpConfig
from tracing_app.resource import build_resource

FAILED, NOT_CONFIGURED = 1, 2


class Command(BaseCommand):
    help = (
        "Resolve, connect and send one real span to the collector. Exit codes: 0 it was accepted, 1 a step "
        "failed, 2 there is no endpoint or it cannot be right."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--endpoint", help="instead of tracing.otlp.endpoint")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        otlp = self._otlp(options["endpoint"])
        steps = list(check_export(otlp, build_resource(tracing_config())))
        if options["json"]:
            report = {"endpoint": otlp.endpoint, "steps": [dataclasses.asdict(step) for step in steps]}
            self.stdout.write(json.dumps(report))
        else:
            self._print(steps)
        if steps[-1].advice:
            sys.exit(FAILED)

    def _otlp(self, endpoint: str | None) -> OtlpConfig:
        export = tracing_config().export
        configured = export.otlp if export else None
        if configured is None and endpoint is None:
            self.stderr.write("There is no tracing.otlp.endpoint, or tracing is off. Give --endpoint URL.")
            sys.exit(NOT_CONFIGURED)
        try:
            if configured is None:
                return OtlpConfig(endpoint or "")
            return dataclasses.replace(configured, endpoint=endpoint or configured.endpoint)
        except ValueError as error:
            self.stderr.write(f"The endpoint cannot be right: {error}.")
            sys.exit(NOT_CONFIGURED)

    def _print(self, steps: Sequence[Step]) -> None:
        for step in steps:
            outcome = "failed" if step.advice else "ok"
            self.stdout.write(f"{step.name:8} {outcome:6} {step.seconds * 1e3:8.1f} ms  {step.detail}")
            if step.advice:
                self.stdout.write(step.advice)
