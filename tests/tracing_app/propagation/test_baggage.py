"""The header ``baggage``: what the API gives of it, and who is handed it. Source: W3C Baggage, section 3."""

from __future__ import annotations

import pytest
from opentelemetry import baggage
from opentelemetry.context import Context

from tests.tracing_app.propagation.scene import SAMPLED, Scene
from tracing_app.propagation.baggage import format_baggage, with_baggage
from tracing_app.recording.stage import INSTRUMENTS

FULL = ",".join(f"k{number}={number}" for number in range(64))
LONGEST = "k=" + "v" * 8190

READ = [
    ("one", ["user=alice"], {"user": "alice"}, "user=alice"),
    ("several", ["a=1,b=2"], {"a": "1", "b": "2"}, "a=1,b=2"),
    ("several headers", ["a=1", "b=2,c=3"], {"a": "1", "b": "2", "c": "3"}, "a=1,b=2,c=3"),
    ("white space goes", [" a=1 \t, b=2 "], {"a": "1", "b": "2"}, "a=1,b=2"),
    ("white space within stays", ["a = 1 ; p = q"], {"a": "1"}, "a = 1 ; p = q"),
    ("percent-encoded", ["a=Am%C3%A9lie%20P"], {"a": "Amélie P"}, "a=Am%C3%A9lie%20P"),
    ("percent-encoded comma", ["a=1%2C2"], {"a": "1,2"}, "a=1%2C2"),
    ("no UTF-8", ["a=%FF"], {"a": "\N{REPLACEMENT CHARACTER}"}, "a=%FF"),
    ("a percent sign alone", ["a=100%"], {"a": "100%"}, "a=100%"),
    ("plus is no space", ["a=1+2"], {"a": "1+2"}, "a=1+2"),
    ("properties", ["a=1;p1;p2=v2,b=2"], {"a": "1", "b": "2"}, "a=1;p1;p2=v2,b=2"),
    ("an empty value", ["a="], {"a": ""}, "a="),
    ("equals signs in the value", ["a=1=2"], {"a": "1=2"}, "a=1=2"),
    ("key of every character", ["!#$%&'*+-.^_`|~0aZ=1"], {"!#$%&'*+-.^_`|~0aZ": "1"}, "!#$%&'*+-.^_`|~0aZ=1"),
    ("case of keys counts", ["a=1,A=2"], {"a": "1", "A": "2"}, "a=1,A=2"),
    ("a key twice", ["a=1,b=2,a=3;p"], {"a": "3", "b": "2"}, "a=1,a=3;p,b=2"),
    ("64 members", [FULL], {f"k{number}": str(number) for number in range(64)}, FULL),
    ("8192 bytes", [LONGEST], {"k": "v" * 8190}, LONGEST),
    ("malformed ones are left out", ["a=1,b,=3,c d=4,e=5"], {"a": "1", "e": "5"}, "a=1,e=5"),
    ("not ASCII is left out", ["a=\xe9,b=2"], {"b": "2"}, "b=2"),
    ("a quote is left out", ['a="1",b=2'], {"b": "2"}, "b=2"),
    ("a malformed property", ["a=1;,b=2;p q,c=3"], {"c": "3"}, "c=3"),
    ("a control character", ["a=1\x01,b=2"], {"b": "2"}, "b=2"),
    ("empty members", [",a=1,,b=2,"], {"a": "1", "b": "2"}, "a=1,b=2"),
    ("65 members", [FULL + ",z=1"], {}, ""),
    ("8193 bytes", [LONGEST + "v"], {}, ""),
    ("empty", [""], {}, ""),
    ("nothing that is well-formed", ["foo,;=,"], {}, ""),
]


@pytest.mark.parametrize(("fields", "values", "handed_on"), [pytest.param(*row, id=id) for id, *row in READ])
def test_baggage_is_read_and_handed_on_to_a_listed_host_alone(
    scene: Scene, fields: list[str], values: dict[str, str], handed_on: str
) -> None:
    scene.send(("traceparent", SAMPLED), *(("baggage", field) for field in fields))

    assert scene.baggage == values
    assert scene.to_listed.get("baggage", "") == handed_on
    assert "baggage" not in scene.to_unlisted


def test_baggage_goes_along_without_a_trace_of_its_own(scene: Scene) -> None:
    scene.send(("traceparent", "malformed"), ("baggage", "a=1"))

    assert scene.to_listed["baggage"] == "a=1"


@pytest.mark.parametrize(
    ("listed", "host", "port", "is_handed_on"),
    [
        ("storage.internal", "storage.internal", 443, True),
        ("storage.internal", "storage.internal", 9000, True),
        ("storage.internal:443", "storage.internal", 443, True),
        ("storage.internal:443", "storage.internal", 9000, False),
        ("storage.internal", "bucket.storage.internal", 443, False),
        ("storage.internal", "storage.internal.example.org", 443, False),
        ("127.0.0.1:9000", "127.0.0.1", 9000, True),
        ("[::1]", "::1", 9000, True),
        ("[::1]:9000", "::1", 9000, True),
        ("[::1]:9000", "::1", 9001, False),
        ("[::1]", "::1:9000", 443, False),
    ],
)
def test_a_host_is_listed_with_any_port_or_with_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, listed: str, host: str, port: int, is_handed_on: bool
) -> None:
    monkeypatch.setattr(INSTRUMENTS, "baggage_hosts", frozenset({listed}))
    scene.listed = (host, port)

    scene.send(("baggage", "a=1"))

    assert ("baggage" in scene.to_listed) is is_handed_on


def test_what_this_process_changes_goes_on_changed() -> None:
    context = with_baggage(Context(), "a=1;p,b=2")

    context = baggage.set_baggage("a", "x, y", context)
    context = baggage.set_baggage("bad name\r\n", "1", context)
    context = baggage.remove_baggage("b", context)

    assert format_baggage(context) == "a=x%2C%20y"
