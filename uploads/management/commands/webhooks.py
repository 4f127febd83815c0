"""``manage.py webhooks``: what waits and what is dead, replaying, and a test of a receiver."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone

from uploads.apps import configured_gateway
from uploads.config import UploadsConfig
from uploads.models import WebhookDelivery
from uploads.notifications.config import WebhookConfig
from uploads.notifications.delivery import Deliverer
from uploads.notifications.event import TEST, ObjectStored
from uploads.notifications.factory import configured_webhooks
from uploads.notifications.outbox import delivery_of
from uploads.notifications.replay import replay

_ANSWER_CHARACTERS = 200
State = WebhookDelivery.State


class Command(BaseCommand):
    help = (
        "List and replay deliveries of webhooks, or send a signed test event. WEBHOOK is BUCKET/NAME of the "
        "configuration. Exits with 1 when the receiver does not take the test."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="deliveries, the newest first")
        _add_filters(listing)
        listing.add_argument("--limit", type=int, default=50, help="at most so many, 50 unless given")
        replaying = actions.add_parser("replay", help="queue deliveries again that are dead or delivered")
        replaying.add_argument("ids", nargs="*", type=int, help="of deliveries")
        _add_filters(replaying)
        testing = actions.add_parser("test", help="send a test event now and print what came back")
        testing.add_argument("webhook", metavar="WEBHOOK")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "list":
                self._list(_found(options)[: max(options["limit"], 0)])
            case "replay":
                self._replay(options)
            case "test":
                self._test(options["webhook"])

    def _list(self, deliveries: QuerySet[WebhookDelivery]) -> None:
        for each in deliveries:
            tries = f"{each.attempts} {'try' if each.attempts == 1 else 'tries'}"
            line = (
                f"{each.pk}  {each.created_at:%F %T}Z  {each.state:9}  {each.bucket}/{each.webhook}  "
                f"{each.event_name}  {each.key}  {tries}  {each.last_error}"
            )
            self.stdout.write(line.rstrip())

    def _replay(self, options: dict[str, Any]) -> None:
        if not (options["ids"] or options["state"]):
            raise CommandError("Name deliveries by their ids, or all of a --state.")
        deliveries = _found(options).filter(queued_at__lt=timezone.now())  # each once, whatever becomes of it
        if options["ids"]:
            deliveries = deliveries.filter(pk__in=options["ids"])
        replayed = 0
        while some := replay(deliveries):
            replayed += len(some)
        self.stdout.write(f"{replayed} queued again")

    def _test(self, name: str) -> None:
        bucket, webhook = _webhook(name)
        event = ObjectStored(
            name=TEST,
            bucket=bucket,
            key="",
            size=0,
            etag="",
            version_id="",
            checksums={},
            content_type="",
            principal="",
            request_id="",
            occurred_at=timezone.now(),
        )
        deliverer = Deliverer(webhook)
        try:
            outcome = deliverer.deliver(delivery_of(event, webhook))
        finally:
            deliverer.close()
        tried, answer = outcome.tried, outcome.answer
        where = f"{webhook.host}:{webhook.port}"
        self.stdout.write(f"POST to {where}, webhook-id {event.event_id}, {tried.milliseconds:.0f} ms")
        if answer is not None:
            text = answer.beginning[:_ANSWER_CHARACTERS].decode(errors="replace")
            self.stdout.write(f"answered {answer.status} {text!r}" if text else f"answered {answer.status}")
        if not outcome.is_delivered:
            raise CommandError(f"The receiver did not take it: {tried.error}.")
        self.stdout.write("The receiver took it.")


def _add_filters(parser: ArgumentParser) -> None:
    parser.add_argument("--state", choices=State.values)
    parser.add_argument("--webhook", metavar="WEBHOOK", help="BUCKET/NAME")


def _found(options: dict[str, Any]) -> QuerySet[WebhookDelivery]:
    found = WebhookDelivery.objects.all()
    if options["state"]:
        found = found.filter(state=options["state"])
    if options["webhook"]:
        bucket, _, name = options["webhook"].partition("/")
        found = found.filter(bucket=bucket, webhook=name)
    return found


def _webhook(name: str) -> tuple[str, WebhookConfig]:
    """Raises CommandError for one that is not configured."""
    known = {f"{bucket}/{each.name}": (bucket, each) for bucket, each in configured_webhooks(_config())}
    if name not in known:
        listed = ", ".join(known) or "none"
        raise CommandError(f"There is no webhook {name!r} in the configuration; there are: {listed}.")
    return known[name]


def _config() -> UploadsConfig:
    return configured_gateway().config
