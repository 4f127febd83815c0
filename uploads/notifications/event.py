"""What happened: an object was stored."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from uploads.s3.headers import ChecksumAlgorithm

PUT: Final = "ObjectCreated:Put"
POST: Final = "ObjectCreated:Post"
COMPLETE: Final = "ObjectCreated:CompleteMultipartUpload"
EVENT_NAMES: Final = (PUT, POST, COMPLETE)
"""Source: Amazon S3 User Guide, "Supported event types for SQS, SNS, and Lambda"."""
TEST: Final = "TestEvent"


def new_event_id() -> str:
    """32 random hexadecimal digits: letters that no signed content and no header takes amiss."""
    return secrets.token_hex(16)


def new_sequencer() -> str:
    """Of two events of the same key the later one's is the greater, as text: nanoseconds since 1970, by the
    clock of the node."""
    return f"{time.time_ns():016X}"


@dataclass(frozen=True, slots=True)
class ObjectStored:
    """An object that is visible at its storage, and recorded.

    ``name`` is one of ``EVENT_NAMES``; ``bucket`` and ``key`` are the gateway's, as the client wrote them;
    ``etag`` is without quotes; ``request_id`` is that of the upload's record: of a multipart upload, of the
    request that created it.
    """

    name: str
    bucket: str
    key: str
    size: int
    etag: str
    version_id: str
    checksums: Mapping[ChecksumAlgorithm, str]
    content_type: str
    principal: str
    request_id: str
    occurred_at: datetime
    event_id: str = field(default_factory=new_event_id)
    sequencer: str = field(default_factory=new_sequencer)
