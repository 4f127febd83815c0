"""``manage.py check_config``: what the gateway would run with, or everything that is wrong with it."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from mizuchi_site.config import config_file, load_config
from mizuchi_site.config.render import as_json, as_lines


class Command(BaseCommand):
    help = (
        "Print every effective configuration value with its source, secrets masked. "
        "Exits with 1 and every fault on standard error when the configuration cannot be used."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="instead of the one MIZUCHI_CONFIG names")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ConfigError, which manage.py prints."""
        file: Path | None = options["file"]
        loaded = load_config(file.absolute() if file else config_file(os.environ), os.environ)
        self.stdout.write(as_json(loaded) if options["json"] else "\n".join(as_lines(loaded)))
