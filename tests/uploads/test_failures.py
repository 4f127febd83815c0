"""What a client is told when something fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, OperationalError

from authz import errors as auth
from uploads.backends import errors as backend
from uploads.failures import BACKEND_FAILURES, Failure, failure_of
from uploads.s3 import errors as s3

SECRET = "10.0.0.7: connection refused for user gateway"


def descendants(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


def test_the_table_has_every_backend_error_and_no_other() -> None:
    ours = [kind for kind in descendants(backend.BackendError) if kind.__module__ == backend.__name__]

    assert set(BACKEND_FAILURES) == {backend.BackendError, *ours}


@pytest.mark.parametrize("kind", BACKEND_FAILURES, ids=lambda kind: kind.__name__)
def test_a_backend_error_has_the_status_of_its_answer(kind: type[backend.BackendError]) -> None:
    assert kind.status == failure_of(kind()).status


@pytest.mark.parametrize("kind", BACKEND_FAILURES, ids=lambda kind: kind.__name__)
def test_a_backend_error_is_told_in_its_words_and_logged_in_detail(kind: type[backend.BackendError]) -> None:
    failure = failure_of(kind(detail=SECRET))

    assert failure.message == kind.message
    assert failure.detail == SECRET
    assert SECRET not in failure.message + repr(dict(failure.headers))
    assert failure.status in {400, 404, 409, 412, 501, 503}


def test_a_kind_without_a_row_is_answered_as_its_parent() -> None:
    class Unheard(backend.OutOfSpace):
        """A backend of somebody else's may raise one of its own."""

    failure = failure_of(Unheard(detail=SECRET))

    assert (failure.code, failure.status) == ("ServiceUnavailable", 503)


@pytest.mark.parametrize(
    "kind", [*descendants(s3.S3Error), *descendants(auth.AuthError)], ids=lambda kind: kind.__name__
)
def test_errors_of_the_protocol_are_told_as_they_are(kind: type[s3.S3Error | auth.AuthError]) -> None:
    failure = failure_of(kind())

    assert (failure.code, failure.status, failure.message) == (kind.code, kind.status, kind.message)
    assert not failure.is_ours


def test_the_reason_of_a_refusal_is_for_the_log() -> None:
    failure = failure_of(auth.AccessDenied(reason="bucket out of scope"))

    assert (failure.message, failure.detail) == (auth.AccessDenied.message, "bucket out of scope")


@pytest.mark.parametrize("error", [OperationalError(SECRET), IntegrityError(SECRET)], ids=["down", "other"])
def test_a_database_that_fails_is_for_later(error: Exception) -> None:
    failure = failure_of(error)

    assert (failure.code, failure.status) == ("ServiceUnavailable", 503)
    assert "Retry-After" in failure.headers
    assert SECRET not in failure.message
    assert failure.detail == f"database: {type(error).__name__}: {SECRET}"


def test_what_a_database_says_of_a_row_is_not_logged() -> None:
    error = IntegrityError(f"duplicate key\nDETAIL:  Key (key)=({SECRET}) already exists.")

    assert failure_of(error).detail == "database: IntegrityError: duplicate key"


@pytest.mark.parametrize("error", [RuntimeError(SECRET), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_what_nobody_foresaw_is_ours(error: BaseException) -> None:
    failure = failure_of(error)

    assert failure == Failure(
        "InternalError", 500, s3.InternalError.message, {}, type(error).__name__, is_ours=True
    )


@pytest.mark.parametrize(
    "kind",
    [backend.BackendUnavailable, backend.BackendSlowDown, backend.OutOfSpace],
    ids=lambda kind: kind.__name__,
)
def test_what_passes_tells_when_to_come_back(kind: type[backend.BackendError]) -> None:
    assert failure_of(kind()).headers["Retry-After"].isdecimal()
