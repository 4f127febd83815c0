"""What all workers and nodes share about tracing, in the main database."""

from __future__ import annotations

from django.db import models


class TracingRevision(models.Model):
    """A change of the live settings; the newest is in force. Nothing is ever changed or removed here."""

    overrides = models.JSONField(help_text="Live keys and their values; what is not here is as in the file.")
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("add", "view")
        verbose_name = "tracing settings"
        verbose_name_plural = "tracing settings"

    def __str__(self) -> str:
        return f"revision {self.pk} by {self.changed_by}"


class KeptUpload(models.Model):
    """A multipart upload of which a request was kept for a reason of its own, so all of it is to be kept."""

    trace_id = models.CharField(max_length=32, unique=True)
    kept_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.trace_id
