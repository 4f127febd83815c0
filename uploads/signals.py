"""What other Django applications in the same process may listen to."""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger(__name__)


class _QuietSignal(Signal):
    """The text of what a receiver raises may hold a key or a name: the log has its type and place."""

    def _log_robust_failure(self, receiver: Any, err: Exception) -> None:
        name = getattr(receiver, "__qualname__", type(receiver).__qualname__)
        logger.error("%s failed at a stored object: %s", name, type(err).__name__)


object_stored = _QuietSignal()
"""An object was stored and its record is committed; where the database was away, the record is still to be
written. Sent in the thread that serves the upload, before its answer: whoever takes long keeps the client
waiting. With ``sender=ObjectStored`` and ``event``, the ``uploads.notifications.event.ObjectStored``. What a
receiver raises is logged and changes nothing. It is sent once by the process that stored the object, and not
at all if that is killed before: what must not be missed is for a webhook."""
