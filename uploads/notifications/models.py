"""The outbox of webhooks: one row for each event and webhook, from the commit of its upload on."""

from __future__ import annotations

from django.db import models


class WebhookDelivery(models.Model):
    """An event on its way to one webhook. It is delivered at least once, or dead and kept to be replayed."""

    class State(models.TextChoices):
        PENDING = "PENDING"
        DELIVERED = "DELIVERED"
        DEAD = "DEAD"

    event_id = models.CharField(
        max_length=32, db_index=True, help_text="webhook-id: one for all webhooks and tries of an event."
    )
    webhook = models.CharField(max_length=63, help_text="Its name in the configuration of the bucket.")
    bucket = models.CharField(max_length=63)
    key = models.CharField(max_length=1024)
    event_name = models.CharField(max_length=64)
    request_id = models.CharField(max_length=32, db_index=True, help_text="That of the upload's record.")
    content_type = models.CharField(max_length=64)
    payload = models.TextField(help_text="The body as it is signed and sent, the same for each try.")
    trace_context = models.JSONField(
        default=dict, help_text="Headers with the context of the upload that the webhook may have."
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    attempts = models.IntegerField(default=0, help_text="Tries since it was queued.")
    replays = models.IntegerField(default=0, help_text="How often somebody queued it again.")
    created_at = models.DateTimeField(help_text="When the object was stored.")
    queued_at = models.DateTimeField(help_text="When it was stored or replayed: its age counts from here.")
    due_at = models.DateTimeField(
        help_text="When it is tried next. While it is claimed: when the claim is given up for lost."
    )
    claimed_by = models.CharField(
        max_length=255, blank=True, help_text="host:pid:start of the process that is about to send it."
    )
    finished_at = models.DateTimeField(null=True, help_text="When it was delivered, or died.")
    last_status = models.IntegerField(null=True, help_text="The HTTP status of the latest answer.")
    last_error = models.CharField(max_length=255, blank=True)
    history = models.JSONField(default=list, help_text="The latest tries, the newest last.")

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("replay_webhookdelivery", "Can replay webhook deliveries")]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["bucket", "webhook", "state", "due_at"], name="delivery_due"),
            models.Index(fields=["state", "id"], name="delivery_state"),
            models.Index(fields=["state", "finished_at"], name="delivery_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.event_name} to {self.webhook} {self.state}"
