"""``manage.py quotas``: what is used of the quotas of buckets and principals."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.template.defaultfilters import filesizeformat

from uploads.apps import configured_gateway
from uploads.quotas.rules import Quota
from uploads.quotas.summary import UsageSummary, recount, usages


class Command(BaseCommand):
    help = (
        "Show what is used of each quota, and what uploads under way have reserved. Sums are kept with every "
        "upload; --recount sets them to what the upload records say, after records were deleted or a quota "
        "was given to a bucket while uploads were under way."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bucket", help="only this one")
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--recount", action="store_true", help="put the sums right first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["recount"]:
            self.stderr.write(f"{recount()} sums were put right")
        buckets = configured_gateway().config.buckets
        quotas = {bucket.name: bucket.quota for bucket in buckets if bucket.quota is not None}
        found = usages(quotas, options["bucket"])
        if options["json"]:
            self.stdout.write(json.dumps([asdict(usage) for usage in found], indent=2))
            return
        for usage in found:
            self.stdout.write(_line(usage))
        if not found:
            self.stdout.write("nothing was uploaded yet to a bucket with a quota")


def _line(usage: UsageSummary) -> str:
    limit = usage.limit or Quota()
    max_bytes = "-" if limit.max_bytes is None else filesizeformat(limit.max_bytes)
    return "  ".join(
        (
            usage.bucket,
            usage.period or "total",
            usage.principal or "(all)",
            f"{filesizeformat(usage.used_bytes)} of {max_bytes}",
            f"{usage.used_objects} of {limit.max_objects if limit.max_objects is not None else '-'} objects",
            f"reserved {filesizeformat(usage.reserved_bytes)}, {usage.reserved_objects} objects",
        )
    )
