"""What every test may use."""

import gc
import os
import sys

# Instrumentations read it once in a process, whichever of them is first: as the gateway has it.
os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

pytest_plugins = ["tests.servers.plugin", "tests.distribution"]

TESTS_PER_COLLECTION = 200
_ended = 0


def pytest_configure() -> None:
    """Before Python 3.12 the collector runs wherever memory is taken, also in the middle of setting a context
    variable; a finalizer that sets one then (an abandoned generator, a browser's greenlet) ends the process
    by a segmentation fault. So it runs between tests. See python/cpython pull request 148928."""
    gc.disable()
    _keep_bytecode()


def _keep_bytecode() -> None:
    """The gateway and its commands are started hundreds of times: what they import is compiled once, in a
    shell that says otherwise, too."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_runtest_logfinish() -> None:
    global _ended
    _ended += 1
    if _ended % TESTS_PER_COLLECTION == 0:
        gc.collect()


@pytest.fixture(autouse=True)
def connections_outlive_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Django's test client: a request that ends in a test's process touches no database, which tests
    without one may not do and which another test may have opened. The client connects the signals again."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    monkeypatch.setattr("mizuchi_site.lean_exchange.close_spent_connections", lambda: None)
