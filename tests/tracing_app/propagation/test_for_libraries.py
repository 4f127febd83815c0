"""Libraries that read and write context through the API agree with the middleware."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from tests.tracing_app.propagation.scene import PARENT, SAMPLED, TRACE
from tracing_app.propagation.w3c import W3CPropagator

HEADERS = {"traceparent": SAMPLED, "tracestate": "1a=1,b=2", "baggage": "user=alice"}

INJECTED = """
from tracing_app.propagation.w3c import propagate_for_libraries
propagate_for_libraries()
from opentelemetry import propagate
headers = {}
propagate.inject(headers, propagate.extract({"traceparent": %r, "tracestate": "1a=1", "b3": "0"}))
print(headers)
"""


def test_what_comes_in_through_the_api_goes_out_but_for_baggage() -> None:
    propagator = W3CPropagator()
    context = propagator.extract(HEADERS, Context())

    headers: dict[str, str] = {}
    propagator.inject(headers, context)

    parent = get_current_span(context).get_span_context()
    assert (parent.trace_id, parent.span_id, parent.is_remote) == (int(TRACE, 16), int(PARENT, 16), True)
    assert baggage.get_baggage("user", context) == "alice"
    assert headers == {"traceparent": SAMPLED, "tracestate": "1a=1,b=2"}
    assert headers.keys() == propagator.fields


def test_without_headers_the_context_stays_and_nothing_goes_out() -> None:
    context = Context({"other": 1})

    assert W3CPropagator().extract({}, context) == context
    headers: dict[str, str] = {}
    W3CPropagator().inject(headers, context)
    assert headers == {}


@pytest.mark.parametrize("propagators", [None, "tracecontext", "none", "b3,jaeger", "misspelt"])
def test_whatever_the_environment_names_the_context_is_that_of_the_w3c(propagators: str | None) -> None:
    environ = {**os.environ, **({} if propagators is None else {"OTEL_PROPAGATORS": propagators})}

    ended = subprocess.run(
        [sys.executable, "-c", INJECTED % SAMPLED], env=environ, capture_output=True, text=True, check=False
    )

    assert ended.stdout.strip() == str({"traceparent": SAMPLED, "tracestate": "1a=1"}), ended.stderr
