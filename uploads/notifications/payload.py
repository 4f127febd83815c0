"""An event as a receiver reads it: an S3 event notification, or a CloudEvent.

Sources: Amazon S3 User Guide, "Event message structure" (version 2.1); CloudEvents 1.0.2, JSON event format,
and its "Distributed Tracing" extension.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote_plus

from .config import Format
from .event import TEST, ObjectStored

SOURCE: Final = "mizuchi:s3"
CONTENT_TYPES: Final[Mapping[Format, str]] = {
    "s3": "application/json",
    "cloudevents": "application/cloudevents+json",
}


def payload(event: ObjectStored, webhook: str, form: Format, trace_context: Mapping[str, str]) -> str:
    """The body, which is the same for each try."""
    return json.dumps(_FORMS[form](event, webhook, trace_context), separators=(",", ":"), ensure_ascii=False)


def _s3(event: ObjectStored, webhook: str, trace_context: Mapping[str, str]) -> dict[str, Any]:
    if event.name == TEST:
        return {
            "Service": "Mizuchi Uploadr",
            "Event": f"s3:{TEST}",
            "Time": _moment(event.occurred_at),
            "Bucket": event.bucket,
            "RequestId": event.request_id,
        }
    return {"Records": [_s3_record(event, webhook)]}


def _s3_record(event: ObjectStored, webhook: str) -> dict[str, Any]:
    stored = {
        "key": quote_plus(event.key, safe="/"),
        "size": event.size,
        "eTag": event.etag,
        "sequencer": event.sequencer,
    }
    if event.version_id:
        stored["versionId"] = event.version_id
    return {
        "eventVersion": "2.1",
        "eventSource": SOURCE,
        "awsRegion": "",
        "eventTime": _moment(event.occurred_at),
        "eventName": event.name,
        "userIdentity": {"principalId": event.principal},
        "responseElements": {"x-amz-request-id": event.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": webhook,
            "bucket": {"name": event.bucket, "arn": f"arn:aws:s3:::{event.bucket}"},
            "object": stored,
        },
    }


def _cloud_event(event: ObjectStored, webhook: str, trace_context: Mapping[str, str]) -> dict[str, Any]:
    """``traceparent`` is the upload's, where the event comes from; that of a try is in its headers."""
    extensions = {
        name: trace_context[name] for name in ("traceparent", "tracestate") if name in trace_context
    }
    return {
        "specversion": "1.0",
        "id": event.event_id,
        "source": f"{SOURCE}/{event.bucket}",
        "type": f"{SOURCE.replace(':', '.')}.{event.name}",
        "subject": event.key,
        "time": _moment(event.occurred_at),
        "datacontenttype": "application/json",
        **extensions,
        "data": {
            "bucket": event.bucket,
            "key": event.key,
            "size": event.size,
            "etag": event.etag,
            "versionId": event.version_id or None,
            "checksums": dict(event.checksums),
            "contentType": event.content_type or None,
            "principal": event.principal,
            "requestId": event.request_id,
            "sequencer": event.sequencer,
        },
    }


def _moment(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as S3 writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FORMS: Final[Mapping[Format, Callable[[ObjectStored, str, Mapping[str, str]], dict[str, Any]]]] = {
    "s3": _s3,
    "cloudevents": _cloud_event,
}
