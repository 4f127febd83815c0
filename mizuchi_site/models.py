"""The rights of the desk's pages. There is no table."""

from __future__ import annotations

from django.db import models


class Desk(models.Model):
    """Holds the permissions of pages that are no model's; those of models are Django's own."""

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
