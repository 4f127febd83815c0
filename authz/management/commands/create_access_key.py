"""``manage.py create_access_key``: a new access key for a principal; the secret is printed once."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from authz.apps import authz_app
from authz.credentials import create_access_key
from authz.models import validate_principal


class Command(BaseCommand):
    help = "Create an access key. The secret is printed once and kept only encrypted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--principal", required=True, help="who uploads with this key")
        parser.add_argument("--bucket", action="append", help="a bucket it may upload to; default: all")
        parser.add_argument("--expires", metavar="TIME", help="ISO 8601, such as 2027-01-31T00:00:00Z")
        parser.add_argument("--note", default="")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        row, secret = create_access_key(
            self._principal(options["principal"]),
            buckets=self._buckets(options["bucket"]),
            note=options["note"],
            expires_at=self._expiry(options["expires"]),
        )
        if options["json"]:
            pair = {"access_key_id": row.access_key_id, "secret_access_key": secret}
            self.stdout.write(json.dumps(pair))
            return
        self.stdout.write(f"Access key id:     {row.access_key_id}\nSecret access key: {secret}")
        self.stdout.write("Copy the secret now: it is shown only once.")

    def _principal(self, name: str) -> str:
        try:
            validate_principal(name)
        except ValidationError as error:
            raise CommandError(error.message) from None
        return name

    def _buckets(self, names: list[str] | None) -> list[str] | None:
        known = authz_app().config.buckets
        for name in names or ():
            if name not in known:
                raise CommandError(f"There is no bucket {name!r}. Known: {', '.join(sorted(known))}.")
        return names

    def _expiry(self, text: str | None) -> datetime | None:
        if text is None:
            return None
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
        if moment is None:
            raise CommandError(f"--expires {text!r} is not an ISO 8601 time such as 2027-01-31T00:00:00Z.")
        moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
        if moment <= timezone.now():
            raise CommandError(f"--expires {text!r} is in the past.")
        return moment
