"""How far one body has come, as its worker last told."""

from __future__ import annotations

from django.db import models


class UploadProgress(models.Model):
    """A body that is being received or stored: an object's, or with ``part_number`` a part's.

    It is there from the body's third second until its end. ``updated_at`` is by the clock of the database: a
    row that is not kept up is of a worker that died.
    """

    class Stage(models.TextChoices):
        RECEIVING = "receiving"
        STORING = "storing"

    record = models.ForeignKey("uploads.UploadRecord", on_delete=models.CASCADE, related_name="progress")
    worker = models.CharField(max_length=255)
    part_number = models.IntegerField(null=True)
    stage = models.CharField(max_length=9, choices=Stage.choices)
    received_bytes = models.BigIntegerField()
    declared_bytes = models.BigIntegerField(null=True)
    bytes_per_second = models.FloatField(help_text="Since it was last told of.")
    began_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.record_id} {self.stage} {self.received_bytes}"
