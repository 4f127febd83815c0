"""Whatever a client sends: nothing raises, and what goes out is well-formed by the W3C's grammar."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.tracing_app.propagation.scene import PARENT, SAMPLED, TRACE, Scene, request_id

# The ABNF of W3C Trace Context Level 2, 3.3.1, written once more and apart from the reader under test.
KEY = r"[a-z0-9][a-z0-9_\-*/@]{0,255}"
VALUE = r"[ -+\--<>-~]{0,255}[!-+\--<>-~]"
MEMBER = re.compile(f"{KEY}={VALUE}", re.ASCII)

# What a parser of HTTP lets through (RFC 9110, 5.5), and what comes close to being valid.
ANY = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=80)
NEAR = st.lists(
    st.sampled_from(["a", "1b@c", "=", "1", ",", ";", " ", "\t", "A", "\xe9", "%C3", "-", "x" * 256, '"']),
    max_size=40,
).map("".join)
PARENTS = st.one_of(
    st.just(SAMPLED),
    ANY,
    st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?", fullmatch=True),
)
FIELDS = st.lists(ANY | NEAR, max_size=3)
MEMBERS = st.lists(
    st.tuples(st.from_regex(KEY, fullmatch=True), st.from_regex(VALUE, fullmatch=True)),
    max_size=35,
    unique_by=lambda member: member[0],
)

repeatedly = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def send(scene: Scene, *headers: tuple[str, str]) -> None:
    scene.collected.traces.clear()
    scene.to_listed.clear()
    scene.send(*headers)


@repeatedly
@given(parents=st.lists(PARENTS, max_size=2), states=FIELDS, baggages=FIELDS)
def test_nothing_raises_and_what_goes_out_is_well_formed(
    scene: Scene, parents: list[str], states: list[str], baggages: list[str]
) -> None:
    headers = [
        *(("traceparent", value) for value in parents),
        *(("tracestate", value) for value in states),
        *(("baggage", value) for value in baggages),
    ]

    send(scene, *headers)

    assert re.fullmatch(f"00-{scene.request_id}-[0-9a-f]{{16}}-0[0-3]", scene.to_listed["traceparent"])
    assert re.fullmatch("[0-9a-f]{32}", request_id(headers))
    state = scene.to_listed.get("tracestate")
    if state is not None:
        sent = [member.strip(" \t") for member in ",".join(states).split(",")]
        kept = state.split(",")
        assert len(kept) <= 32
        assert all(MEMBER.fullmatch(member) for member in kept)
        keys = [member.partition("=")[0] for member in sent if member]
        assert [member.partition("=")[0] for member in kept] == list(dict.fromkeys(keys)), "kept in part"
    assert re.fullmatch(r"[\t -~]*", scene.to_listed.get("baggage", ""))


@repeatedly
@given(members=MEMBERS)
@example(members=[(f"k{number}", "1") for number in range(32)])
@example(members=[(f"k{number}", "1") for number in range(33)])
@example(members=[("k", "v" * 256)])
def test_a_state_of_valid_members_is_kept_byte_for_byte_unless_it_is_too_large(
    scene: Scene, members: list[tuple[str, str]]
) -> None:
    header = ",".join(f"{key}={value}" for key, value in members)

    send(scene, ("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", header))

    is_kept = 0 < len(members) <= 32 and len(header) <= 4096
    assert scene.to_listed.get("tracestate") == (header if is_kept else None)
