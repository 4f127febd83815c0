"""Kept traces, one row for what one process recorded of a request. Read-only to everybody but the writer."""

from __future__ import annotations

from typing import Literal

from django.db import models

Outcome = Literal["ok", "refused", "error"]
"""``error`` is a fault of ours (5xx), ``refused`` a mistake of the client's (4xx)."""


def outcome_of(is_error: bool, error: str, status: int | None) -> Outcome:
    """By the columns of a ``StoredTrace``."""
    if is_error or (status or 0) >= 500:
        return "error"
    return "refused" if error or (status or 0) >= 400 else "ok"


class StoredTrace(models.Model):
    """One local root with the spans below it. Requests of one multipart upload share a ``trace_id``.

    ``spans`` is a compressed ``TracesData`` message (opentelemetry-proto); the other columns are for
    searching. A span that ended after its local root has a row of its own, where ``is_late`` is set.
    """

    trace_id = models.CharField(max_length=32, db_index=True)
    is_late = models.BooleanField(default=False)
    started_at = models.DateTimeField(db_index=True)
    duration_ms = models.FloatField()
    name = models.CharField(max_length=255)
    operation = models.CharField(max_length=64)
    bucket = models.CharField(max_length=63)
    key = models.CharField(
        max_length=1100, help_text="As far as traces may show it (tracing.redaction.keys)."
    )
    upload_hash = models.CharField(max_length=64, db_index=True)
    principal_hash = models.CharField(max_length=64)
    status = models.IntegerField(null=True)
    error = models.CharField(max_length=64)
    is_error = models.BooleanField()
    bytes = models.BigIntegerField(null=True)
    receive_wait_ms = models.FloatField(null=True)
    backend_wait_ms = models.FloatField(null=True)
    reason = models.CharField(max_length=16)
    rule = models.CharField(max_length=128)
    rate = models.FloatField(help_text="For how many traces it stands.")
    span_count = models.IntegerField()
    spans = models.BinaryField()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        verbose_name = "trace"

    def __str__(self) -> str:
        return f"{self.name} {self.trace_id}"

    @property
    def outcome(self) -> Outcome:
        """How the request ended."""
        return outcome_of(self.is_error, self.error, self.status)
