"""``manage.py sampling_dry_run`` over stored traces."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from opentelemetry.sdk.resources import Resource

from tests.tracing_app.sampling.traces import Sink
from tracing_app.exporting.otlp_wire import SpanEncoder
from tracing_app.recording.choices import Always
from tracing_app.recording.provider import LightTracerProvider
from tracing_app.recording.samplers import HeadSampler
from tracing_app.sampling.tail import RATE
from tracing_app.store.transport import StoreTransport

pytestmark = pytest.mark.django_db(databases=["traces"])


def store(**buckets: int) -> None:
    """So many requests of each bucket, each standing for ten."""
    sink = Sink()
    tracer = LightTracerProvider(HeadSampler(Always(), tail=False), sink).get_tracer("tests")
    for bucket, number in buckets.items():
        for _ in range(number):
            attributes = {"aws.s3.bucket": bucket, "rpc.method": "S3/PutObject", RATE: 10.0}
            tracer.start_span("PUT s3.PutObject", attributes=attributes).end()
    payload = SpanEncoder(Resource({})).encode(sink.traces)
    StoreTransport(max_traces=1000, max_age_hours=1).send(payload, 1)


def run(file: Path, text: str, *arguments: str) -> tuple[int, str]:
    file.write_text(text)
    out, code = io.StringIO(), 0
    try:
        call_command("sampling_dry_run", str(file), *arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


RULES = 'rules: [{name: all of a, when: "bucket = a", keep: always}, {name: rest, keep: never}]'


@pytest.mark.parametrize(
    "text", [RULES, f"sampling: {{{RULES}}}", f"tracing: {{sampling: {{{RULES}}}, enabled: true}}"], ids=str
)
def test_an_estimate(tmp_path: Path, text: str) -> None:
    store(a=10, b=30)

    code, out = run(tmp_path / "rules.yaml", text, "--json")

    report = json.loads(out)
    assert code == 0
    assert report["looked_at"] == 40
    assert report["total"]["traces"] == pytest.approx(400)
    assert report["total"]["kept_traces"] == pytest.approx(100)
    assert report["by_reason"]["rule:all of a"]["kept_traces"] == pytest.approx(100)
    assert report["by_reason"]["rule:rest"]["kept_traces"] == 0
    assert report["by_bucket"]["b"]["traces"] == pytest.approx(300)
    assert report["bytes_per_day"] > 0


def test_it_can_be_read(tmp_path: Path) -> None:
    store(a=10, b=30)

    code, out = run(tmp_path / "rules.yaml", RULES)

    assert code == 0
    assert out.startswith("Of about 400 traces (40 kept ones looked at) it would keep 25.0%: ")
    assert "  rule:all of a                         100        100   100.0%" in out


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [{name: a, keep: often}]", "sampling.rules[0].keep: 'often' must be always"),
        ("ratio: 2", "sampling.ratio: must be a number from 0 to 1"),
        ("ration: 1", "sampling.ration: is no live setting"),
        ("- a", "must have the keys of tracing.sampling, like"),
        ("a: [", "is no YAML"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    code, out = run(tmp_path / "rules.yaml", text)

    assert code == 1
    assert problem in out


def test_nothing_to_judge(tmp_path: Path) -> None:
    assert run(tmp_path / "rules.yaml", "ratio: 1") == (2, "No traces are kept here to judge.\n")


def test_no_such_file() -> None:
    with pytest.raises(CommandError):
        call_command("sampling_dry_run", "/nowhere/rules.yaml")
