"""Upload records as a test wants them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from uploads.models import UploadRecord


def make_record(number: int = 0, **fields: Any) -> UploadRecord:
    """A stored one, ``key-<number>`` of alice, but for ``fields``."""
    began = timezone.now()
    values = {
        "request_id": f"{number:032x}",
        "bucket": "uploads",
        "key": f"key-{number}",
        "principal": "alice",
        "auth_method": "sigv4",
        "method": "simple",
        "state": "STORED",
        "etag": f"{number:016x}" * 2,
        "size": 2048,
        "worker": "host:1:1",
        "started_at": began,
        "finished_at": began + timedelta(milliseconds=1500),
    }
    return UploadRecord.objects.create(**values | fields)
