"""What the verdict on a finished trace costs, by the number and kind of rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from opentelemetry.trace import set_span_in_context

from tracing_app.recording.choices import Never
from tracing_app.recording.data import TraceData
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.sampling.rules import RuleText, parse_rules
from tracing_app.sampling.tail import TailPolicy

from .calls import Call, time_calls
from .report import Table

_ROUNDS, _QUICK_ROUNDS, _WARM_UP = 41, 9, 1
_NO_MATCH = 'bucket = "another" and status >= 400'
_PATTERN = 'root.aws.s3.key matches "^photos/[0-9]{4}/.*[.]raw$"'


def steps(is_quick: bool) -> int:
    return len(_calls()) * ((_QUICK_ROUNDS if is_quick else _ROUNDS) + _WARM_UP)


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    rounds = _QUICK_ROUNDS if is_quick else _ROUNDS
    return [Table("The verdict on a trace of 5 spans", time_calls(_calls(), rounds=rounds, on_turn=on_turn))]


def _calls() -> dict[str, Call]:
    trace = _trace()
    policies = {
        "errors and slow requests": TailPolicy(slow_ns=10**12),
        "and 1 rule": _policy(_NO_MATCH),
        "and 10 rules": _policy(*[_NO_MATCH] * 10),
        "and 100 rules": _policy(*[_NO_MATCH] * 100),
        "and 1 regular expression": _policy(_PATTERN),
    }
    return {name: partial(policy.judge, trace) for name, policy in policies.items()}


def _policy(*conditions: str) -> TailPolicy:
    rules = [RuleText(f"rule {number}", "always", when) for number, when in enumerate(conditions)]
    return TailPolicy(slow_ns=10**12, rules=tuple(parse_rules(rules)))


class _Last:
    trace: TraceData

    def offer(self, trace: TraceData) -> None:
        self.trace = trace


def _trace() -> TraceData:
    last = _Last()
    tracer = LightTracerProvider(HeadSampler(Never(), tail=True), last).get_tracer("bench")
    attributes: dict[str, str | int] = {
        "rpc.method": "S3/PutObject",
        "aws.s3.bucket": "bench",
        "aws.s3.key": "photos/2026/picture.jpg",
        "http.response.status_code": 200,
    }
    root = tracer.start_span("PUT s3.PutObject", attributes=attributes)
    for name in ("auth.sigv4", "upload.put_object", "file.write"):
        tracer.start_span(name, set_span_in_context(root), attributes={"mizuchi.upload.bytes": 1024}).end()
    root.end()
    return last.trace
