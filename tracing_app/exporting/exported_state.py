"""What of a span's ``tracestate`` is exported. It is passed on whole to the services that are called.

Any client and any vendor on the way writes what it likes there, so a collector gets the fields of the member
``ot`` only, which say how the trace was sampled. Source: OpenTelemetry specification, "TraceState:
Probability Sampling" and "TraceState Handling".
"""

from __future__ import annotations

import re

from opentelemetry.trace import TraceState

_FIELD = re.compile(r"th:[0-9a-f]{1,14}|rv:[0-9a-f]{14}")


def exported_state(state: TraceState) -> str:
    """``tracestate`` as an OTLP span or link has it, ``""`` when nothing of it may be told."""
    fields = [field for field in (state.get("ot") or "").split(";") if _FIELD.fullmatch(field)]
    return f"ot={';'.join(fields)}" if fields else ""
