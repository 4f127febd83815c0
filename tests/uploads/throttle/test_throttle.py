"""Which limits a request counts against, and how it is refused."""

from __future__ import annotations

import pytest

from uploads.s3.errors import Throttled
from uploads.throttle.local import LocalCounter
from uploads.throttle.rules import Rate, ThrottleConfig
from uploads.throttle.throttle import Throttle, build_throttle


def throttle(config: ThrottleConfig) -> Throttle:
    return Throttle(config, LocalCounter(lambda: 0.0))


def refusal(
    limits: Throttle, bucket: str = "b", principal: str = "alice", is_upload: bool = True
) -> Throttled:
    with pytest.raises(Throttled) as refused:
        limits.admit(bucket, principal, is_upload=is_upload)
    return refused.value


def test_nothing_is_built_where_nothing_is_limited() -> None:
    assert build_throttle(ThrottleConfig(buckets={"b": Rate()})) is None


def test_a_principal_is_limited_over_all_buckets_and_others_are_not_touched() -> None:
    limits = throttle(ThrottleConfig(Rate(requests_per_second=0.5, burst=2)))
    for bucket in ("a", "b"):
        assert limits.admit(bucket, "alice", is_upload=False) is None

    error = refusal(limits, "c")

    assert (error.code, error.status, error.headers) == ("SlowDown", 503, {"Retry-After": "2"})
    assert error.limit == ("rate", "principal")
    assert limits.admit("a", "bob", is_upload=False) is None


def test_a_named_principal_has_its_own_limits_instead() -> None:
    limits = throttle(ThrottleConfig(Rate(requests_per_second=1), principals={"ci": Rate()}))
    for _ in range(5):
        assert limits.admit("b", "ci", is_upload=True) is None
    limits.admit("b", "alice", is_upload=True)
    refusal(limits)


def test_a_bucket_limits_each_principal_besides() -> None:
    limits = throttle(ThrottleConfig(Rate(concurrent_uploads=3), buckets={"b": Rate(concurrent_uploads=1)}))
    first = limits.admit("b", "alice", is_upload=True)
    assert first is not None
    assert refusal(limits).limit == ("concurrency", "bucket")
    assert limits.admit("b", "bob", is_upload=True) is not None
    others = [limits.admit("c", "alice", is_upload=True) for _ in range(2)]
    assert None not in others
    assert refusal(limits, "c").limit == ("concurrency", "principal")
    first.release()
    assert limits.admit("b", "alice", is_upload=True) is not None


def test_what_has_no_body_takes_no_place_of_an_upload() -> None:
    limits = throttle(ThrottleConfig(Rate(concurrent_uploads=1)))
    limits.admit("b", "alice", is_upload=True)
    assert limits.admit("b", "alice", is_upload=False) is None
