"""Finds the trace that a request of a multipart upload belongs to: the one its upload began in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from uploads.apps import configured_gateway


def upload_traceparent(environ: Mapping[str, Any]) -> str:
    """The ``traceparent`` that the upload id in the query was sealed with; "" without one of ours."""
    query: str = environ.get("QUERY_STRING", "")
    if "uploadId=" not in query:
        return ""
    upload_ids = parse_qs(query).get("uploadId", ())
    return configured_gateway().sealer.traceparent(upload_ids[0]) if upload_ids else ""
