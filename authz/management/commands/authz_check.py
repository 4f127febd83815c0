"""``manage.py authz_check``: do the services that decide who may upload answer?"""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from authz.apps import authz_app
from authz.check_services import check_services

FAILED, NOTHING_TO_CHECK = 1, 2


class Command(BaseCommand):
    help = (
        "Ask every policy engine a question about nobody, and fetch every set of keys for tokens. Exit "
        "codes: 0 all answer, 1 one does not, 2 no bucket needs any."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        steps = list(check_services(authz_app().config))
        if options["json"]:
            self.stdout.write(json.dumps({"services": [dataclasses.asdict(step) for step in steps]}))
        for step in () if options["json"] else steps:
            outcome, took = "failed" if step.advice else "ok", f"{step.seconds * 1e3:8.1f} ms"
            asked = f"{step.question}: " if step.question else ""
            self.stdout.write(f"{step.service:8} {outcome:6} {took}  {step.where}  {asked}{step.detail}")
            if step.advice:
                self.stdout.write(step.advice)
        if not steps:
            self.stderr.write("No bucket has an authz section or a jwks_url: there is nothing to check.")
            sys.exit(NOTHING_TO_CHECK)
        if any(step.advice for step in steps):
            sys.exit(FAILED)
