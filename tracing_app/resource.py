"""Who sends the telemetry of this process."""

from __future__ import annotations

import os
import socket
import uuid

from opentelemetry.sdk.resources import Resource

from tracing_app.config import TracingConfig
from tracing_app.version import VERSION


def build_resource(config: TracingConfig) -> Resource:
    """Service, instance, host, process, SDK, and what the operator adds."""
    return Resource.create(
        {
            "service.name": config.service_name,
            "service.version": VERSION,
            "service.instance.id": str(uuid.uuid4()),
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
            **config.resource,
        }
    )
