"""What the operator is told of a failure, beside the client."""

from __future__ import annotations

import logging

import pytest

from authz.errors import AccessDenied
from tracing_app.api import trace
from uploads.backends.errors import BackendUnavailable
from uploads.exception_handler import answer
from uploads.s3.errors import NoSuchBucket


@pytest.mark.parametrize(
    ("error", "level", "line"),
    [
        (AccessDenied(reason="bucket out of scope"), "INFO", "refused: AccessDenied bucket out of scope"),
        (BackendUnavailable(detail="refused by 10.0.0.7"), "ERROR", "failed: ServiceUnavailable refused by"),
        (RuntimeError("a fault"), "ERROR", "failed unforeseen"),
    ],
    ids=["refused", "backend", "unforeseen"],
)
def test_the_log_has_the_request_id_and_the_reason(
    error: Exception, level: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "uploads"), trace("f" * 32):
        response = answer(error, method="PUT", resource="/b/k")

    (record,) = caplog.records
    assert record.levelname == level
    assert record.getMessage().startswith(f"request {'f' * 32} {line}")
    for secret in ("out of scope", "10.0.0.7", "a fault"):
        assert secret not in response.content.decode()


def test_an_unforeseen_error_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    answer(RuntimeError("a fault"), method="PUT", resource="/b/k")

    assert caplog.records[0].exc_info is not None


def test_what_the_client_was_told_whole_is_not_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "uploads"):
        answer(NoSuchBucket(), method="PUT", resource="/b/k")

    assert caplog.records == []


def test_head_has_no_body() -> None:
    assert answer(NoSuchBucket(), method="HEAD", resource="/b").content == b""
