"""What counts against quotas: sums of buckets and principals, and what uploads under way have reserved."""

from __future__ import annotations

from django.db import models


class QuotaUsage(models.Model):
    """The sums of one bucket (``principal`` empty) or of one principal in it, in one period.

    ``used`` is what the records of the period say is STORED, ``reserved`` is what reservations hold.
    """

    bucket = models.CharField(max_length=63)
    principal = models.CharField(max_length=255, blank=True)
    period = models.CharField(max_length=10, blank=True, help_text="2026-11, 2026-11-30; empty: all time.")
    used_bytes = models.BigIntegerField(default=0)
    used_objects = models.BigIntegerField(default=0)
    reserved_bytes = models.BigIntegerField(default=0)
    reserved_objects = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["bucket", "principal", "period"], name="quota_usage_once")
        ]

    def __str__(self) -> str:
        return f"{self.bucket} {self.period} {self.used_bytes}"


class QuotaReservation(models.Model):
    """What one body under way may still add: an object's, or with ``part_number`` a part's.

    It ends with the record: in the transaction that marks it STORED, FAILED or ABORTED. A part that
    ``is_received`` stays reserved until its upload is over.
    """

    record = models.ForeignKey("uploads.UploadRecord", on_delete=models.CASCADE, related_name="reservations")
    period = models.CharField(max_length=10, blank=True)
    bytes = models.BigIntegerField()
    object_count = models.IntegerField(help_text="1 of an object or a whole multipart upload, 0 of a part.")
    part_number = models.IntegerField(null=True)
    is_received = models.BooleanField(default=False)
    worker = models.CharField(max_length=255)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.record_id} {self.part_number} {self.bytes}"
