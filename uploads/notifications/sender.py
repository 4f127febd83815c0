"""Sends what waits: one thread that looks, and for each webhook threads of its own that send.

A receiver that is slow or down occupies its own threads and no others; one that fails on end is left alone
for a while, and nothing of it is claimed, so its deliveries lose no tries meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from django.db import DatabaseError, close_old_connections, connection

from tracing_app.breaker import Breaker
from uploads.models import WebhookDelivery

from . import queue
from .config import Retention, WebhookConfig
from .delivery import Deliverer, Outcome
from .metrics import TRIES
from .outbox import WRITTEN
from .retention import tidy

logger = logging.getLogger("uploads.webhooks")

POLL_SECONDS: Final = 2.0
"""So long a retry, or what another process left, waits at most to be seen."""
_PAUSE_SECONDS: Final = 0.05
_TIDY_SECONDS: Final = 600.0
_STOP_SECONDS: Final = 2.0
_BATCH: Final = 8
_LEASE_MARGIN_SECONDS: Final = 30.0
_FAILURES: Final = 5
_RESET_SECONDS: Final = 30.0


class Lane:
    """One webhook as this process sees it: the threads that send to it, and whether it answers."""

    def __init__(self, bucket: str, webhook: WebhookConfig, stopping: threading.Event) -> None:
        self.bucket = bucket
        self.webhook = webhook
        self.breaker = Breaker(failures=_FAILURES, reset_seconds=_RESET_SECONDS, clock=time.monotonic)
        self._stopping = stopping
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._is_said_down = False

    def start_one_more(self) -> None:
        """Start a thread that sends until nothing is due, if one is wanted and may be.
        Raises DatabaseError."""
        with self._lock:
            is_full = len(self._threads) >= self.webhook.concurrency
        if is_full or self.breaker.is_blocking or not queue.has_due(self.bucket, self.webhook.name):
            return
        thread = threading.Thread(target=self._run, name=f"webhook {self.webhook.name}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def join(self, until: float) -> None:
        """Wait for its threads until that time of ``time.monotonic``."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))

    def _run(self) -> None:
        deliverer = Deliverer(self.webhook)
        try:
            while self._send_some(deliverer):
                pass
        except DatabaseError as error:
            # What was sent and could not be noted is sent again when its claim is over.
            logger.warning("deliveries of webhook %s wait for the database: %s", self.webhook.name, error)
        except Exception:
            logger.exception("a delivery of webhook %s could not be tried", self.webhook.name)
        finally:
            deliverer.close()
            connection.close()
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _send_some(self, deliverer: Deliverer) -> bool:
        """Claim and send; False when there is nothing more to do for now. Raises DatabaseError."""
        if self._stopping.is_set() or self.breaker.is_blocking:
            return False
        limit = _BATCH if self.breaker.state == "closed" else 1
        lease_seconds = limit * self.webhook.timeout_seconds + _LEASE_MARGIN_SECONDS
        claimed = queue.claim(self.bucket, self.webhook.name, limit=limit, lease_seconds=lease_seconds)
        for number, delivery in enumerate(claimed):
            if self._stopping.is_set() or not self.breaker.allows():
                queue.give_back(claimed[number:])
                return False
            self._send(deliverer, delivery)
        return bool(claimed)

    def _send(self, deliverer: Deliverer, delivery: WebhookDelivery) -> None:
        try:
            outcome = deliverer.deliver(delivery)
        except BaseException:
            # Never told of the end of its one try, a breaker would stay half-open.
            self.breaker.record_failure()
            raise
        self._heard(outcome)
        came_of_it = "delivered" if outcome.is_delivered else "failed" if outcome.next_at else "dead"
        TRIES.add((self.bucket, self.webhook.name, came_of_it))
        if outcome.is_delivered:
            queue.delivered(delivery, outcome.tried)
            return
        queue.failed(delivery, outcome.tried, outcome.next_at)
        if outcome.next_at is None:
            logger.error(
                "event %s to webhook %s of bucket %s is dead after %d tries: %s",
                delivery.event_id,
                delivery.webhook,
                delivery.bucket,
                delivery.attempts + 1,
                outcome.tried.error,
            )

    def _heard(self, outcome: Outcome) -> None:
        """Tell the breaker, and the log of each change of state."""
        if outcome.is_outage:
            self.breaker.record_failure()
        else:
            self.breaker.record_success()
        is_down = self.breaker.state != "closed"
        with self._lock:
            if is_down == self._is_said_down:
                return
            self._is_said_down = is_down
        if is_down:
            logger.error("webhook %s is left alone: %s", self.webhook.name, outcome.tried.error)
        else:
            logger.warning("webhook %s answers again", self.webhook.name)


class WebhookSender:
    """Sends deliveries of these webhooks, each with its bucket, until ``stop``. No upload waits for it."""

    def __init__(self, webhooks: Sequence[tuple[str, WebhookConfig]], retention: Retention) -> None:
        self._stopping = threading.Event()
        self._lanes = [Lane(bucket, webhook, self._stopping) for bucket, webhook in webhooks]
        self._webhooks = webhooks
        self._retention = retention
        self._tidy_at = 0.0
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; what is being sent has two seconds. The rest waits in the database."""
        self._stopping.set()
        WRITTEN.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        self.join()

    def join(self, seconds: float = _STOP_SECONDS) -> None:
        """Wait so long at most until nothing is being sent."""
        until = time.monotonic() + seconds
        for lane in self._lanes:
            lane.join(until)

    def look(self) -> None:
        """Start what there is to do. Raises DatabaseError."""
        if time.monotonic() >= self._tidy_at:
            queue.free_claims_of_the_dead()
            tidy(self._webhooks, self._retention)
            self._tidy_at = time.monotonic() + _TIDY_SECONDS
        for lane in self._lanes:
            lane.start_one_more()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                close_old_connections()
                self._look_once()
                WRITTEN.wait(POLL_SECONDS)
                WRITTEN.clear()
                self._stopping.wait(_PAUSE_SECONDS)
        finally:
            connection.close()

    def _look_once(self) -> None:
        try:
            self.look()
        except DatabaseError as error:
            connection.close()
            if not self._is_failing:
                logger.warning("webhooks wait for the database: %s", error)
            self._is_failing = True
        except Exception:
            logger.exception("what is to be sent to webhooks could not be looked at")
        else:
            self._is_failing = False
