"""What the workers counted, as they share it."""

from __future__ import annotations

from django.db import models


class StatisticsSlot(models.Model):
    """``totals.Totals`` of one worker and bucket in the ``seconds`` from ``began_at`` on. ``latencies`` is as
    ``latency.pack`` makes it."""

    seconds = models.PositiveSmallIntegerField()
    began_at = models.DateTimeField()
    worker = models.CharField(max_length=255)
    bucket = models.CharField(max_length=63)
    requests = models.PositiveIntegerField()
    uploads = models.PositiveIntegerField()
    client_errors = models.PositiveIntegerField()
    server_errors = models.PositiveIntegerField()
    bytes_received = models.BigIntegerField()
    transfers = models.PositiveIntegerField()
    transfer_seconds = models.FloatField()
    receive_wait_seconds = models.FloatField()
    backend_wait_seconds = models.FloatField()
    latencies = models.JSONField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["seconds", "began_at", "worker", "bucket"], name="one_statistics_slot"
            )
        ]

    def __str__(self) -> str:
        return f"{self.bucket} {self.began_at:%Y-%m-%d %H:%M:%S} {self.seconds} s"
