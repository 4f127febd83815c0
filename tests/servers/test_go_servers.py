"""The policy engines and Jaeger answer as their own documents say, before anything is tested with them."""

from __future__ import annotations

import secrets
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.servers.jaeger import Jaeger
from tests.servers.opa import Opa
from tests.servers.openfga import OpenFga

MODEL = {
    "schema_version": "1.1",
    "type_definitions": [
        {"type": "user"},
        {
            "type": "bucket",
            "relations": {"writer": {"this": {}}},
            "metadata": {"relations": {"writer": {"directly_related_user_types": [{"type": "user"}]}}},
        },
    ],
}


def test_opa_decides_by_the_policy_it_was_given(opa: Opa) -> None:
    opa.put_policy("greeting", 'package greeting\n\nallow if input.name == "ann"\n')

    def result(name: str) -> dict[str, object]:
        answer = httpx.post(f"{opa.endpoint}/v1/data/greeting/allow", json={"input": {"name": name}})
        return dict(answer.raise_for_status().json())

    assert result("ann") == {"result": True}
    assert result("eve") == {}


def test_opa_refuses_a_policy_with_a_fault(opa: Opa) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        opa.put_policy("broken", "package broken\n\nallow if")


def test_the_program_of_opa_runs_the_tests_of_a_policy(opa: Opa, tmp_path: Path) -> None:
    (tmp_path / "a_test.rego").write_text("package a_test\n\ntest_true if true\n")
    ended = subprocess.run([opa.program, "test", tmp_path], capture_output=True, text=True, check=False)
    assert "PASS: 1/1" in ended.stdout


def test_openfga_checks_by_the_tuples_written(openfga: OpenFga) -> None:
    store = openfga.create_store(MODEL)
    openfga.write(store, [{"user": "user:ann", "relation": "writer", "object": "bucket:b"}])

    def is_allowed(user: str) -> bool:
        asked = {"tuple_key": {"user": user, "relation": "writer", "object": "bucket:b"}}
        answer = httpx.post(f"{openfga.endpoint}/stores/{store.store_id}/check", json=asked)
        return bool(answer.raise_for_status().json()["allowed"])

    assert is_allowed("user:ann")
    assert not is_allowed("user:eve")


def test_stores_know_nothing_of_each_other(openfga: OpenFga) -> None:
    first, second = openfga.create_store(MODEL), openfga.create_store(MODEL)
    assert first.store_id != second.store_id


def test_jaeger_gives_back_what_it_was_sent(jaeger: Jaeger) -> None:
    trace_id, parent, child = secrets.token_hex(16), secrets.token_hex(8), secrets.token_hex(8)
    began = time.time_ns()
    at, later = str(began), str(began + 1000)
    common = {"traceId": trace_id, "startTimeUnixNano": at, "endTimeUnixNano": later}
    root = {**common, "spanId": parent, "name": "root", "kind": 2}
    inner = {
        **common,
        "spanId": child,
        "parentSpanId": parent,
        "name": "inner",
        "kind": 3,
        "status": {"code": 2},
        "attributes": [
            {"key": "text", "value": {"stringValue": "t"}},
            {"key": "count", "value": {"intValue": "3"}},
            {"key": "share", "value": {"doubleValue": 0.5}},
            {"key": "no", "value": {"boolValue": False}},
        ],
        "events": [{"timeUnixNano": at, "name": "halfway"}],
        "links": [{"traceId": trace_id, "spanId": parent}],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "sender"}}]}
    sent = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [root, inner]}]}]}
    httpx.post(f"{jaeger.otlp_endpoint('http/protobuf')}/v1/traces", json=sent).raise_for_status()

    spans = {span.name: span for span in jaeger.wait_for(trace_id, spans=2)}

    assert {span.service for span in spans.values()} == {"sender"}
    assert spans["root"].parent_id == ""
    assert (spans["root"].kind, spans["inner"].kind) == ("SERVER", "CLIENT")
    assert spans["inner"].parent_id == spans["root"].span_id == parent
    assert spans["inner"].attributes == {"text": "t", "count": 3, "share": 0.5, "no": False}
    assert spans["inner"].events == ("halfway",)
    assert spans["inner"].links == (trace_id,)
    assert (spans["inner"].is_error, spans["root"].is_error) == (True, False)
    assert (spans["inner"].warnings, spans["root"].warnings) == ((), ())


def test_jaeger_tells_what_it_had_to_put_right(jaeger: Jaeger) -> None:
    trace_id = secrets.token_hex(16)
    backwards = {"startTimeUnixNano": "2000", "endTimeUnixNano": "1000"}
    span = {"traceId": trace_id, "spanId": secrets.token_hex(8), "name": "backwards", **backwards}
    sent = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    httpx.post(f"{jaeger.otlp_endpoint('http/protobuf')}/v1/traces", json=sent).raise_for_status()

    (found,) = jaeger.wait_for(trace_id, spans=1)

    assert found.attributes == {}
    assert "Negative duration" in found.warnings[0]


def test_jaeger_has_nothing_of_an_unknown_trace(jaeger: Jaeger) -> None:
    assert jaeger.trace(secrets.token_hex(16)) == []
