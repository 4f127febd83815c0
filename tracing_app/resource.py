"""Who sends telemetry: the attributes that all signals of a process share."""

from __future__ import annotations

import functools
import os
import socket
import uuid

from opentelemetry.sdk.resources import Resource

from tracing_app.config import TracingConfig
from tracing_app.version import VERSION


def build_resource(config: TracingConfig) -> Resource:
    """Service, instance, host, process, SDK, and what the operator adds."""
    pid = os.getpid()
    return Resource.create({**_attributes(config, _instance_id(pid)), "process.pid": pid, **config.resource})


def node_resource(config: TracingConfig, instance_id: str) -> Resource:
    """The same of all workers of a server together, which are no process."""
    return Resource.create({**_attributes(config, instance_id), **config.resource})


def _attributes(config: TracingConfig, instance_id: str) -> dict[str, str | int]:
    return {
        "service.name": config.service_name,
        "service.version": VERSION,
        "service.instance.id": instance_id,
        "host.name": socket.gethostname(),
    }


@functools.cache
def _instance_id(pid: int) -> str:
    """One for each process, so that its traces and its logs are seen to come from the same."""
    return str(uuid.uuid4())
