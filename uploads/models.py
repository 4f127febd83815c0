"""The upload record: written before the first body byte, finished after the last."""

from __future__ import annotations

from django.db import models

from uploads.notifications.models import WebhookDelivery as WebhookDelivery
from uploads.progress.models import UploadProgress as UploadProgress
from uploads.quotas.models import QuotaReservation as QuotaReservation
from uploads.quotas.models import QuotaUsage as QuotaUsage
from uploads.statistics.models import StatisticsSlot as StatisticsSlot


class UploadRecord(models.Model):
    """One object on its way in: a simple PUT, a POST form or a whole multipart upload."""

    class State(models.TextChoices):
        RECEIVING = "RECEIVING"
        STORED = "STORED"
        FAILED = "FAILED"
        ABORTED = "ABORTED"

    class Method(models.TextChoices):
        SIMPLE = "simple"
        FORM = "form"
        MULTIPART = "multipart"

    request_id = models.CharField(max_length=32, db_index=True, help_text="The trace id of the request.")
    bucket = models.CharField(max_length=63)
    key = models.CharField(max_length=1024)
    principal = models.CharField(max_length=255)
    auth_method = models.CharField(max_length=16)
    method = models.CharField(max_length=9, choices=Method.choices)
    state = models.CharField(max_length=9, choices=State.choices, default=State.RECEIVING)
    size = models.BigIntegerField(null=True)
    received_bytes = models.BigIntegerField(
        null=True, help_text="Payload that came, whatever became of it. A part sent again counts again."
    )
    parts = models.IntegerField(null=True, help_text="Those that came; of a stored upload, those in it.")
    last_part_at = models.DateTimeField(null=True)
    receive_wait_ms = models.FloatField(null=True, help_text="What its one request waited for the client.")
    backend_wait_ms = models.FloatField(null=True, help_text="What its one request waited for the storage.")
    etag = models.CharField(max_length=255, blank=True)
    checksums = models.JSONField(default=dict)
    checksum_type = models.CharField(max_length=11, blank=True)
    content_type = models.CharField(max_length=255, blank=True)
    version_id = models.CharField(max_length=1024, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    upload_id = models.TextField(blank=True, help_text="The sealed id of a multipart upload.")
    upload_digest = models.CharField(max_length=32, blank=True, db_index=True)
    worker = models.CharField(max_length=255, help_text="host:pid:start of the process that receives it.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["bucket", "key", "principal"], name="upload_receipt"),
            models.Index(fields=["state", "id"], name="upload_state"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key} {self.state}"
