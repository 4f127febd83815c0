"""Rows are written by a thread of their own, in tables that stay small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from authz.batch_writer import BatchWriter, Kept
from authz.models import SignatureDiagnosis
from tests.authz.policy.clocks import Clock
from tests.tracing_app.exporting.export_setup import until

NOW = 1_790_000_000.0
AGE = timedelta(days=30)


def row(number: int = 0, age: timedelta = timedelta()) -> SignatureDiagnosis:
    diagnosed_at = datetime.fromtimestamp(NOW, UTC) - age
    return SignatureDiagnosis(request_id=f"{number:032x}", diagnosed_at=diagnosed_at, causes=[])


def writer(rows: int = 30) -> BatchWriter[SignatureDiagnosis]:
    return BatchWriter(SignatureDiagnosis, Kept(rows, AGE, "diagnosed_at"), Clock(NOW))


@pytest.fixture
def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests write themselves, in their own transaction."""
    monkeypatch.setattr(BatchWriter, "_begin", lambda self: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_thread")
def test_the_number_of_rows_is_bounded_and_the_newest_stay() -> None:
    written = writer(rows=30)
    for batch in range(5):
        for number in range(20):
            written.add(row(20 * batch + number))
        written.flush()

    kept = SignatureDiagnosis.objects.order_by("pk").values_list("request_id", flat=True)
    assert list(kept) == [f"{number:032x}" for number in range(70, 100)]


@pytest.mark.django_db
@pytest.mark.usefixtures("no_thread")
def test_old_ones_go() -> None:
    written = writer()
    written.add(row(1, age=AGE))
    written.add(row(2, age=AGE + timedelta(seconds=1)))
    written.flush()

    assert SignatureDiagnosis.objects.get().request_id == f"{1:032x}"


@pytest.mark.usefixtures("no_thread")
def test_what_waits_is_bounded() -> None:
    written = writer()
    for _ in range(5000):
        written.add(row())

    assert len(written._waiting) == 1000


@pytest.mark.usefixtures("no_thread")
def test_a_database_that_is_away_is_told_of_and_no_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: Any) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(SignatureDiagnosis._default_manager, "bulk_create", away)
    monkeypatch.setattr("authz.batch_writer.connection.close", lambda: None)
    written = writer()
    written.add(row())

    written.flush()

    assert "1 signature diagnoses could not be recorded: away" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_its_thread_outlives_a_row_that_no_database_takes() -> None:
    written = writer()
    odd = row(1)
    odd.canonical_request = "\ud800"
    written.add(odd)
    until(lambda: not written._waiting)
    written.add(row(2))
    written.close()

    assert SignatureDiagnosis.objects.get().request_id == f"{2:032x}"


@pytest.mark.django_db(transaction=True)
def test_its_thread_writes_what_waits_when_it_is_closed() -> None:
    written = writer()
    for number in range(3):
        written.add(row(number))
    written.close()

    assert SignatureDiagnosis.objects.count() == 3
