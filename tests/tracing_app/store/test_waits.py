"""Who was waited for."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.tracing_app.store.drawn import CLIENT, INTERNAL, Drawn, request, storage, tree_of, upload
from tests.tracing_app.store.drawn_anyhow import any_requests
from tracing_app.store.waits import Waits, request_waits, trace_waits


def waits_of(*spans: Drawn, end: float = 10) -> Waits:
    return request_waits(tree_of(request(0, end, *spans)).roots[0])


def asked(name: str, start: float, end: float) -> Drawn:
    return Drawn(name, start, end, kind=CLIENT)


def test_an_upload_tells_how_long_it_waited_for_client_and_backend() -> None:
    inside = storage(2, 9)

    assert waits_of(upload(1, 9, client=5, backend=2.5, children=[inside])) == Waits(
        client_ms=5, backend_ms=2.5, policy_ms=0, gateway_ms=2.5
    )


@pytest.mark.parametrize("kind", [INTERNAL, CLIENT], ids=["a folder", "a service"])
def test_a_storage_s_call_is_the_backend_s_time_where_no_body_flows(kind: int) -> None:
    complete = Drawn("upload.complete_multipart", 1, 9, [storage(2, 4, kind=kind), storage(5, 8, kind=kind)])

    assert waits_of(complete) == Waits(client_ms=0, backend_ms=5, policy_ms=0, gateway_ms=5)


def test_engines_and_identity_providers_that_were_asked() -> None:
    auth = Drawn("auth.jwt", 0, 3, [asked("GET", 1, 3)])
    opa, scope, fga = asked("authz.opa", 3, 5), Drawn("authz.scope", 5, 5.5), asked("authz.openfga", 5.5, 6)

    assert waits_of(auth, scope, opa, fga) == Waits(client_ms=0, backend_ms=0, policy_ms=4.5, gateway_ms=5.5)


def test_engines_that_were_asked_at_the_same_time_count_once() -> None:
    assert waits_of(asked("authz.opa", 1, 5), asked("authz.openfga", 2, 6)).policy_ms == 5


def test_what_nobody_else_is_known_to_have_taken_is_ours() -> None:
    assert waits_of(Drawn("library", 1, 9), asked("SELECT", 2, 4)) == Waits(0, 0, 0, gateway_ms=10)


def test_an_upload_cannot_have_waited_for_longer_than_it_took() -> None:
    assert waits_of(upload(2, 8, client=50, backend=4)) == Waits(
        client_ms=2, backend_ms=4, policy_ms=0, gateway_ms=4
    )


def test_another_gateway_s_own_waits_are_the_backend_s() -> None:
    """It goes on with the trace, and may keep its traces in the same store."""
    theirs = Drawn("request", 3, 7, [asked("authz.opa", 4, 5)], kind=request(0, 0).kind)
    call = Drawn("S3.CreateMultipartUpload", 2, 8, [theirs], CLIENT, {"mizuchi.storage": "upstream"})
    tree = tree_of(request(0, 10, call))

    assert trace_waits(tree) == Waits(client_ms=0, backend_ms=6, policy_ms=0, gateway_ms=4)


def test_between_the_requests_of_an_upload_the_client_is_waited_for() -> None:
    tree = tree_of(
        request(0, 2, storage(1, 2)),
        request(5, 15, upload(6, 14, client=4, backend=3)),
        request(15, 20),
    )

    assert trace_waits(tree) == Waits(client_ms=3 + 4, backend_ms=1 + 3, policy_ms=0, gateway_ms=1 + 3 + 5)


def test_requests_at_the_same_time_share_it() -> None:
    """For ten milliseconds two parts, one waiting for the client, one for the backend; then five of that."""
    tree = tree_of(request(0, 10, upload(0, 10, client=10, backend=0)), request(0, 15, storage(0, 15)))

    waits = trace_waits(tree)

    assert waits.total_ms == pytest.approx(15)
    assert (waits.client_ms, waits.backend_ms) == (pytest.approx(5), pytest.approx(10))


def test_what_goes_on_after_the_last_answer_is_ours() -> None:
    tree = tree_of(request(0, 10, Drawn("late", 8, 13)))

    assert trace_waits(tree) == Waits(client_ms=0, backend_ms=0, policy_ms=0, gateway_ms=13)


def test_nobody_waits_for_what_is_delivered_to_webhooks_afterwards() -> None:
    tried = [Drawn("webhook.deliver", start, start + 1, kind=CLIENT) for start in (12, 5000)]
    tree = tree_of(request(0, 10, upload(1, 9, client=5, backend=2, children=tried)))

    assert trace_waits(tree) == Waits(client_ms=5, backend_ms=2, policy_ms=0, gateway_ms=3)


@given(any_requests())
def test_the_parts_of_a_request_are_its_duration(drawn: list[Drawn]) -> None:
    tree = tree_of(*drawn)
    for each in tree.requests():
        waits = request_waits(each)
        assert waits.total_ms == pytest.approx(each.duration_ms, abs=1e-6)
        assert min(waits.client_ms, waits.backend_ms, waits.policy_ms, waits.gateway_ms) >= 0


@given(any_requests())
def test_the_parts_of_a_trace_are_its_duration(drawn: list[Drawn]) -> None:
    tree = tree_of(*drawn)
    waits = trace_waits(tree)

    assert waits.total_ms == pytest.approx(tree.duration_ms, abs=1e-6)
    assert min(waits.client_ms, waits.backend_ms, waits.policy_ms, waits.gateway_ms) >= -1e-9
