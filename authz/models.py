"""Access keys kept in the database (those of config.yaml are not here), recent decisions and diagnoses."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from authz.reserved_names import RESERVED, reserved_prefix


def validate_principal(name: str) -> None:
    """The rule of config.yaml for principals. Raises ValidationError."""
    if not re.fullmatch(r"[!-~](?:[ -~]{0,126}[!-~])?", name):
        raise ValidationError("A principal has 1 to 128 printable ASCII characters.")
    if name == "anonymous":
        raise ValidationError('"anonymous" is the name of callers without a key. Choose another.')
    if prefix := reserved_prefix(name):
        raise ValidationError(f'Names that begin with "{prefix}" are those of {RESERVED[prefix]}.')


class AccessKey(models.Model):
    """An access key of a principal. A principal may have many; each can be disabled and can expire."""

    access_key_id = models.CharField(max_length=128, unique=True, editable=False)
    principal = models.CharField(
        max_length=255,
        db_index=True,
        validators=[validate_principal],
        help_text="Who uploads with this key. Keys of one principal share uploads in progress and receipts.",
    )
    encrypted_secret = models.TextField(editable=False)
    buckets = models.JSONField(null=True, blank=True, help_text="The buckets it may upload to; null: all.")
    is_enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Refused from then on. Empty: never.")
    note = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.access_key_id} ({self.principal})"

    @property
    def is_usable(self) -> bool:
        return self.is_enabled and (self.expires_at is None or self.expires_at > timezone.now())


class PolicyDecision(models.Model):
    """A decision of a bucket's policy, a sample of them: ``authz.decision_log``. Without token and claims."""

    class Outcome(models.TextChoices):
        ALLOW = "allow"
        DENY = "deny"
        ERROR = "error"

    decided_at = models.DateTimeField(db_index=True)
    request_id = models.CharField(max_length=32, db_index=True, help_text="The trace id of the request.")
    principal = models.CharField(max_length=255)
    action = models.CharField(max_length=64)
    operation = models.CharField(max_length=32)
    bucket = models.CharField(max_length=63)
    key = models.CharField(max_length=1024, blank=True)
    outcome = models.CharField(max_length=5, choices=Outcome.choices)
    engine = models.CharField(max_length=16, blank=True, help_text="Which engine decided.")
    reason = models.CharField(max_length=64)
    is_enforced = models.BooleanField(help_text="False in shadow: recorded, and not obeyed.")
    duration_ms = models.FloatField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.outcome} {self.action} on {self.bucket}"


class SignatureDiagnosis(models.Model):
    """Why a signature did not match, one of the latest: ``authz.diagnosis_log``. Nothing in it tells what a
    client wrote: see ``authz.sigv4.masking``. ``causes`` are mappings of ``kind`` and ``text``."""

    diagnosed_at = models.DateTimeField(db_index=True)
    request_id = models.CharField(max_length=32, db_index=True, help_text="The trace id of the request.")
    access_key_id = models.CharField(max_length=128)
    causes = models.JSONField()
    canonical_request = models.TextField()
    string_to_sign = models.TextField()

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        verbose_name_plural = "signature diagnoses"

    def __str__(self) -> str:
        return f"signature of request {self.request_id}"
