"""``manage.py prune_uploads``: end multipart uploads that were never completed."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from uploads.apps import configured_gateway
from uploads.pruning import prune

_HUNDRED_YEARS = 876_000


class Command(BaseCommand):
    help = (
        "End multipart uploads that began longer ago than multipart.expiry_hours, were not completed and "
        "got no part since. Others are not touched. Run it from cron; it exits with 1 when one could not be "
        "ended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--older-than-hours", type=float, help="instead of multipart.expiry_hours")
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be ended")

    def handle(self, *args: Any, **options: Any) -> None:
        gateway = configured_gateway()
        hours = options["older_than_hours"]
        if hours is not None and not 0 < hours <= _HUNDRED_YEARS:
            raise CommandError("--older-than-hours must be greater than 0 and at most 876000.")
        seconds = gateway.config.multipart_expiry_seconds if hours is None else hours * 3600
        verb = "would end" if options["dry_run"] else "ended"
        failures = ended = 0
        for pruned in prune(gateway, time.time() - seconds, is_dry_run=options["dry_run"]):
            if pruned.error:
                failures += 1
                self.stderr.write(f"{pruned.bucket}/{pruned.key}: {pruned.error}")
                continue
            ended += 1
            self.stdout.write(f"{verb} {pruned.bucket}/{pruned.key}, begun {pruned.initiated:%F %H:%M}Z")
        self.stdout.write(f"{verb} {ended} uploads, {failures} failures")
        if failures:
            raise CommandError(f"{failures} uploads could not be ended; run it again.")
