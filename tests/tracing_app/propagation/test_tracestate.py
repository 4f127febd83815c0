"""The state as users of the API know it: a ``TraceState``, by the rules of Level 2."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opentelemetry.trace import TraceState

from tracing_app.propagation.tracestate import Tracestate, parse_tracestate

FULL = ",".join(f"k{number}=1" for number in range(32))


def test_it_is_a_mapping_in_order() -> None:
    state = parse_tracestate("1a@foo=1,bar= 2")

    assert isinstance(state, TraceState)
    assert list(state.items()) == [("1a@foo", "1"), ("bar", " 2")]
    assert (state["bar"], state.get("baz"), len(state), "1a@foo" in state) == (" 2", None, 2, True)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("a=1,b=2", lambda state: state.add("1c", "3"), "1c=3,a=1,b=2"),
        ("a=1,b=2", lambda state: state.add("a", "3"), "a=1,b=2"),
        ("a=1", lambda state: state.add("B", "3"), "a=1"),
        ("a=1", lambda state: state.add("b", "\xe9"), "a=1"),
        (FULL, lambda state: state.add("b", "2"), FULL),
        ("a=1,b=2", lambda state: state.update("b", "3"), "b=3,a=1"),
        ("a=1,b=2", lambda state: state.update("1c", "3"), "1c=3,a=1,b=2"),
        ("a=1,b=2", lambda state: state.update("b", "3,c=4"), "a=1,b=2"),
        (FULL, lambda state: state.update("k0", "2"), "k0=2" + FULL[4:]),
        (FULL, lambda state: state.update("z", "2"), FULL),
        ("a=1,b=2", lambda state: state.delete("a"), "b=2"),
        ("a=1,b=2", lambda state: state.delete("c"), "a=1,b=2"),
    ],
)
def test_changes_make_a_new_state(
    before: str, change: Callable[[TraceState], TraceState], after: str
) -> None:
    state = parse_tracestate(before)

    changed = change(state)

    assert changed.to_header() == after
    assert state.to_header() == before
    assert isinstance(changed, Tracestate)


@pytest.mark.parametrize(
    ("fields", "header"),
    [(["a=1", "", "1b=2"], "a=1,1b=2"), (["a=1", "B=2"], ""), ([FULL, "z=1"], ""), ([], "")],
    ids=["several", "one malformed", "33 members", "none"],
)
def test_of_header_fields(fields: list[str], header: str) -> None:
    assert Tracestate.from_header(fields).to_header() == header
