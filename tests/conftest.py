"""What every test may use."""

import os

# Instrumentations read it once in a process, whichever of them is first: as the gateway has it.
os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

pytest_plugins = ["tests.servers.plugin"]


@pytest.fixture(autouse=True)
def connections_outlive_requests() -> None:
    """As in Django's test client: a request that ends in a test's process touches no database, which tests
    without one may not do and which another test may have opened. The client connects the signals again."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
