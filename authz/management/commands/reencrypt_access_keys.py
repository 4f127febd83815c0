"""``manage.py reencrypt_access_keys``: after a rotation of ``security.secret_keys``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from authz.credentials import secret_box
from authz.encryption import SecretUnreadable
from authz.models import AccessKey


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret with the first of security.secret_keys. Put the new key first in the "
        "list, restart, run this, then remove the old key."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        box = secret_box()
        unreadable = []
        done = 0
        for row in AccessKey.objects.only("pk", "access_key_id", "encrypted_secret").iterator():
            try:
                rotated = box.rotate(row.access_key_id, row.encrypted_secret)
            except SecretUnreadable:
                unreadable.append(row.access_key_id)
                continue
            with transaction.atomic():
                done += AccessKey.objects.filter(pk=row.pk, encrypted_secret=row.encrypted_secret).update(
                    encrypted_secret=rotated
                )
        self.stdout.write(f"{done} secrets are encrypted with the first key.")
        if unreadable:
            raise CommandError(
                f"None of security.secret_keys opens the secrets of: {', '.join(unreadable)}. "
                "Keep the old key in the list until they are made anew."
            )
