"""Headers as clients send them, and what comes of them: W3C Trace Context Level 2, sections 3.2 and 3.3.

The cases are ideas of the recommendation's own test suite (w3c/trace-context, test/test.py), rules of its
text, and what the reader of the API is stricter in.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.tracing_app.propagation.scene import PARENT, SAMPLED, TRACE, Scene, request_id

Headers = list[tuple[str, str]]


def parent(value: str) -> Headers:
    return [("traceparent", value)]


def case(name: str, headers: Headers, *expected: Any) -> Any:
    return pytest.param(headers, *expected, id=name)


CONTINUED = [
    case("sampled", parent(SAMPLED), "01"),
    case("not sampled", parent(f"00-{TRACE}-{PARENT}-00"), "00"),
    case("random", parent(f"00-{TRACE}-{PARENT}-02"), "02"),
    case("sampled and random", parent(f"00-{TRACE}-{PARENT}-03"), "03"),
    case("unknown flags are not handed on", parent(f"00-{TRACE}-{PARENT}-ff"), "03"),
    case("unknown flags alone", parent(f"00-{TRACE}-{PARENT}-fc"), "00"),
    case("white space around", parent(f" \t{SAMPLED}\t "), "01"),
    case("name in upper case", [("TRACEPARENT", SAMPLED)], "01"),
    case("name in mixed case", [("TraceParent", SAMPLED)], "01"),
    case("later version", parent(f"01-{TRACE}-{PARENT}-01"), "01"),
    case("version cc", parent(f"cc-{TRACE}-{PARENT}-01"), "01"),
    case("version cc and more", parent(f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like"), "01"),
    case("version cc and a dash", parent(f"cc-{TRACE}-{PARENT}-01-"), "01"),
    case("version cc, flags unknown", parent(f"cc-{TRACE}-{PARENT}-fe"), "02"),
    case("version fe", parent(f"fe-{TRACE}-{PARENT}-00"), "00"),
    case("smallest ids", parent(f"00-{1:032x}-{1:016x}-01"), "01"),
    case("largest ids", parent(f"00-{'f' * 32}-{'f' * 16}-01"), "01"),
]

RESTARTED = [
    case("none", []),
    case("empty", parent("")),
    case("white space alone", parent(" \t")),
    case("twice the same", [*parent(SAMPLED), *parent(SAMPLED)]),
    case("twice, different", [*parent(SAMPLED), *parent(f"00-{'1' * 32}-{PARENT}-01")]),
    case("a valid one and garbage", [*parent(SAMPLED), *parent("foo")]),
    case("garbage and a valid one", [*parent("foo"), *parent(SAMPLED)]),
    case("an empty one and a valid one", [*parent(""), *parent(SAMPLED)]),
    case("later version twice", parent(f"cc-{TRACE}-{PARENT}-01-x") * 2),
    case("a name that is not it", [("trace-parent", SAMPLED)]),
    case("a name with underscores", [("trace_parent", SAMPLED)]),
    case("version 00 and more", parent(f"{SAMPLED}-what-the-future-will-be-like")),
    case("version 00 and a dash", parent(f"{SAMPLED}-")),
    case("version 00 and a dot", parent(f"{SAMPLED}.")),
    case("version cc and a dot", parent(f"cc-{TRACE}-{PARENT}-01.what-the-future")),
    case("version cc, longer flags", parent(f"cc-{TRACE}-{PARENT}-011")),
    case("version ff", parent(f"ff-{TRACE}-{PARENT}-01")),
    case("version in upper case", parent(f"CC-{TRACE}-{PARENT}-01")),
    case("version of no hex", parent(f".0-{TRACE}-{PARENT}-01")),
    case("version too long", parent(f"000-{TRACE}-{PARENT}-01")),
    case("version too short", parent(f"0-{TRACE}-{PARENT}-01")),
    case("trace id in upper case", parent(f"00-{TRACE.upper()}-{PARENT}-01")),
    case("trace id of zeros", parent(f"00-{'0' * 32}-{PARENT}-01")),
    case("trace id of no hex", parent(f"00-.{TRACE[1:]}-{PARENT}-01")),
    case("trace id too long", parent(f"00-{TRACE}0-{PARENT}-01")),
    case("trace id too short", parent(f"00-{TRACE[1:]}-{PARENT}-01")),
    case("parent id in upper case", parent(f"00-{TRACE}-{PARENT.upper()}-01")),
    case("parent id of zeros", parent(f"00-{TRACE}-{'0' * 16}-01")),
    case("parent id of no hex", parent(f"00-{TRACE}-.{PARENT[1:]}-01")),
    case("parent id too long", parent(f"00-{TRACE}-{PARENT}0-01")),
    case("parent id too short", parent(f"00-{TRACE}-{PARENT[1:]}-01")),
    case("flags in upper case", parent(f"00-{TRACE}-{PARENT}-0A")),
    case("flags of no hex", parent(f"00-{TRACE}-{PARENT}-.0")),
    case("flags too long", parent(f"00-{TRACE}-{PARENT}-001")),
    case("flags too short", parent(f"00-{TRACE}-{PARENT}-1")),
    case("no flags", parent(f"00-{TRACE}-{PARENT}")),
    case("no dashes", parent(SAMPLED.replace("-", " "))),
    case("a space within", parent(f"00-{TRACE} -{PARENT}-01")),
    case("digits that are not ASCII", parent(f"00-{TRACE[:-1]}\xb2-{PARENT}-01")),
    case("other white space around", parent(f"\xa0{SAMPLED}")),
    case("quoted", parent(f'"{SAMPLED}"')),
    case("very long", parent(SAMPLED * 1000)),
]

LONG = "v" * 256
FULL = [f"k{number}={number}" for number in range(32)]


def state(*fields: str) -> Headers:
    return [*parent(SAMPLED), *(("tracestate", field) for field in fields)]


KEPT = [
    case("one", state("foo=1"), "foo=1"),
    case("two in order", state("foo=1,bar=2"), "foo=1,bar=2"),
    case("order is not that of the alphabet", state("z=1,a=2,m=3"), "z=1,a=2,m=3"),
    case("several headers, in order", state("foo=1", "bar=2,baz=3", "a=4"), "foo=1,bar=2,baz=3,a=4"),
    case("an empty header among others", state("foo=1", "", "bar=2"), "foo=1,bar=2"),
    case("name in upper case", [*parent(SAMPLED), ("TRACESTATE", "foo=1")], "foo=1"),
    case("white space around members", state("foo=1 \t , \t bar=2"), "foo=1,bar=2"),
    case("white space around all", state(" foo=1\t"), "foo=1"),
    case("empty members", state(",foo=1,,bar=2,  ,\t,"), "foo=1,bar=2"),
    case(
        "vendors of tenants",
        state("fw529a3039@dt=FfAB,t61rcwkgmzg@vendor=2"),
        "fw529a3039@dt=FfAB,t61rcwkgmzg@vendor=2",
    ),
    case("a tenant that begins with a digit", state("0tenant@v=1"), "0tenant@v=1"),
    case("a key that begins with a digit", state("1a-2f@foo=1,0=z"), "1a-2f@foo=1,0=z"),
    case("key of every character", state("a_-*/@z0=1"), "a_-*/@z0=1"),
    case("two ats", state("a@b@c=1"), "a@b@c=1"),
    case("a long vendor", state(f"a@{'v' * 15}=1"), f"a@{'v' * 15}=1"),
    case("key of 256", state(f"{'z' * 256}=1"), f"{'z' * 256}=1"),
    case("key of 1", state("a=1"), "a=1"),
    case("value of 256", state(f"a={LONG}"), f"a={LONG}"),
    case(
        "value of every sign",
        state("a=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~"),
        "a=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~",
    ),
    case("spaces within a value", state("a=b  c"), "a=b  c"),
    case("spaces before a value belong to it", state("a=  b"), "a=  b"),
    case("32 members", state(",".join(FULL)), ",".join(FULL)),
    case("32 members and empty ones", state(",,".join(FULL) + ","), ",".join(FULL)),
    case(
        "32 members over two headers",
        state(*(",".join(FULL[at : at + 16]) for at in (0, 16))),
        ",".join(FULL),
    ),
    case("512 characters", state(f"a={'1' * 253},b={'2' * 254}"), f"a={'1' * 253},b={'2' * 254}"),
    case(
        "4096 characters",
        state(",".join([f"{n:x}={LONG[1:]}" for n in range(15)] + ["last=" + "z" * 221])),
        ",".join([f"{n:x}={LONG[1:]}" for n in range(15)] + ["last=" + "z" * 221]),
    ),
    case("of a key that is there twice, the first", state("foo=1,bar=2,foo=3"), "foo=1,bar=2"),
    case("the same member twice", state("foo=1", "foo=1"), "foo=1"),
]

DISCARDED = [
    case("none", state()),
    case("empty", state("")),
    case("commas alone", state(",,, ,\t")),
    case("33 members", state(",".join([*FULL, "z=1"]))),
    case("33 members over two headers", state(",".join(FULL), "z=1")),
    case("4097 characters", state(",".join([f"{n:x}={LONG}" for n in range(15)] + ["last=" + "z" * 207]))),
    case("a member without a value", state("foo=1,bar")),
    case("a member with an empty value", state("foo=1,bar=")),
    case("a value of spaces", state("foo=1,bar= ,baz=1")),
    case("a member without a key", state("foo=1,=1")),
    case("an equals sign in the value", state("foo=1=2")),
    case("key in upper case", state("FOO=1")),
    case("key of 257", state(f"{'z' * 257}=1")),
    case("key with a dot", state("foo.bar=1")),
    case("key that begins with an at", state("@foo=1")),
    case("key that begins with a dash", state("-foo=1")),
    case("space between key and equals sign", state("foo =1")),
    case("semicolons for commas", state("foo=1;bar=2=3")),
    case("value of 257", state(f"a={'v' * 257}")),
    case("a tab within a value", state("foo=a\tb")),
    case("a control character", state("foo=a\x7fb")),
    case("not ASCII", state("foo=\xe9")),
    case("not ASCII, after what is fine", state("foo=1,bar=\xff")),
    case("white space that is none of HTTP's", state("foo=1,\xa0bar=2")),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "flags"), CONTINUED)
def test_a_valid_traceparent_is_gone_on_with(scene: Scene, headers: Headers, flags: str) -> None:
    _, trace_id, parent_id, _ = headers[0][1].strip().split("-")[:4]

    root = scene.send(*headers)

    assert f"{root.context.trace_id:032x}" == scene.request_id == request_id(headers) == trace_id
    assert (f"{root.parent_span_id:016x}", root.is_parent_remote) == (parent_id, True)
    call = scene.collected.named("S3.PutObject")
    assert scene.to_listed == {"traceparent": f"00-{trace_id}-{call.context.span_id:016x}-{flags}"}
    assert scene.to_unlisted == scene.to_listed


@pytest.mark.parametrize("headers", RESTARTED)
def test_a_malformed_traceparent_begins_a_new_trace_without_state(scene: Scene, headers: Headers) -> None:
    root = scene.send(*headers, ("tracestate", "foo=1"))

    assert (root.parent_span_id, root.is_parent_remote) == (0, False)
    assert f"{root.context.trace_id:032x}" == scene.request_id
    assert root.context.trace_id not in (0, int(TRACE, 16))
    assert request_id(headers) not in (TRACE, "0" * 32)
    assert scene.to_listed.keys() == {"traceparent"}
    assert scene.to_listed["traceparent"].startswith(f"00-{scene.request_id}-")


@pytest.mark.parametrize(("headers", "expected"), KEPT)
def test_a_valid_tracestate_goes_out_as_it_came(scene: Scene, headers: Headers, expected: str) -> None:
    root = scene.send(*headers)

    assert scene.request_id == TRACE
    assert root.context.trace_state.to_header() == expected
    assert scene.to_listed["tracestate"] == scene.to_unlisted["tracestate"] == expected


@pytest.mark.parametrize("headers", DISCARDED)
def test_another_tracestate_is_discarded_whole_and_the_trace_goes_on(scene: Scene, headers: Headers) -> None:
    root = scene.send(*headers)

    assert scene.request_id == TRACE
    assert not root.context.trace_state
    assert "tracestate" not in scene.to_listed


@pytest.mark.parametrize("flags", ["00", "01"], ids=["not sampled", "sampled"])
def test_the_state_is_kept_whether_sampled_or_not(scene: Scene, flags: str) -> None:
    scene.send(("traceparent", f"00-{TRACE}-{PARENT}-{flags}"), ("tracestate", "foo=1"))

    assert scene.to_listed["tracestate"] == "foo=1"
    assert scene.to_listed["traceparent"].endswith(f"-{flags}")
