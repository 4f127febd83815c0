"""What is measured of who callers are and what they may do. No label tells of a person, nor what a policy's
author wrote."""

from __future__ import annotations

from typing import Final

from tracing_app.api import CALL_BOUNDS, Counter, Histogram, Label

_ENGINE: Final = Label("engine", "mizuchi.authz.engine")
_DECISION: Final = Label("decision", "mizuchi.authz.decision")

AUTHENTICATIONS = Counter(
    "mizuchi_authentications",
    "Requests whose caller was, or was not, found out; code is that of the refusal, empty without one.",
    otlp="mizuchi.authentications",
    labels=(
        Label("method", "mizuchi.auth.method"),
        Label("outcome", "mizuchi.auth.outcome"),
        Label("code", "error.type"),
    ),
)
REFUSALS = Counter(
    "mizuchi_access_refusals",
    "Requests of known callers that were refused: by the scope of their key, by a policy, or for want of one "
    "that answers.",
    otlp="mizuchi.access.refusals",
    labels=(Label("refused_by", "mizuchi.authz.refused_by"),),
)
DECISIONS = Counter(
    "mizuchi_policy_decisions",
    "What policy engines said: remembered (cache) or asked (engine), and whether it is obeyed or in shadow.",
    otlp="mizuchi.policy.decisions",
    labels=(
        _ENGINE,
        _DECISION,
        Label("source", "mizuchi.authz.source"),
        Label("mode", "mizuchi.authz.mode"),
        Label("error", "error.type"),
    ),
)
ASKED_SECONDS = Histogram(
    "mizuchi_policy_request_duration_seconds",
    "How long policy engines took that were asked.",
    otlp="mizuchi.policy.request.duration",
    bounds=CALL_BOUNDS,
    labels=(_ENGINE, _DECISION),
    unit="seconds",
)
