"""The rights of the desk's pages, and what the workers say of themselves."""

from __future__ import annotations

from django.db import models


class Desk(models.Model):
    """Holds the permissions of pages that are no model's; those of models are Django's own. Has no table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = (
            ("view_status", "Can see the status page"),
            ("view_traces", "Can see traces"),
            ("view_tracing_settings", "Can see the tracing settings and their history"),
            ("change_tracing_settings", "Can change tracing settings and send test spans"),
            ("view_buckets", "Can see buckets with their limits and policies"),
            ("test_policy", "Can ask policy engines what they would decide"),
            ("view_diagnoses", "Can see why signatures did not match"),
            ("view_configuration", "Can see the configuration"),
            ("view_audit", "Can see who changed what"),
            ("upload_in_browser", "Can upload on the upload page"),
        )


class WorkerReport(models.Model):
    """How a worker process is, in its own words of a few seconds ago; see ``workers.report``."""

    worker = models.CharField(max_length=255, unique=True, help_text="host:pid:start")
    node = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    reported_at = models.DateTimeField(db_index=True, help_text="By the clock of the database.")
    memory_bytes = models.BigIntegerField(null=True, help_text="Resident.")
    in_flight = models.JSONField(help_text="S3 requests under way, by bucket.")
    tracing = models.JSONField()
    engines = models.JSONField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.worker
