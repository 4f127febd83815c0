"""Diagnoses are kept for the operator, with the id of their request and as masked as in the log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from authz.batch_writer import BatchWriter
from authz.diagnosis_log import DiagnosisLog
from authz.models import SignatureDiagnosis
from authz.sigv4.diagnosis import Cause, Diagnosis
from tests.authz.policy.clocks import Clock

NOW = 1_790_000_000.0
REQUEST_ID = "0af7651916cd43dd8448eb211c80319c"
CAUSES = (Cause("host", "the Host header was changed"), Cause("clock", "the client's clock is wrong"))


@pytest.fixture(autouse=True)
def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BatchWriter, "_begin", lambda self: None)


def kept(diagnosis: Diagnosis) -> dict[str, object]:
    log = DiagnosisLog(Clock(NOW))
    log.note(diagnosis, REQUEST_ID, "AKALICE", NOW)
    log.flush()
    (row,) = SignatureDiagnosis.objects.values()
    return row


@pytest.mark.django_db
def test_a_diagnosis_is_kept_whole() -> None:
    row = kept(Diagnosis(CAUSES, "PUT\n/xxx", "AWS4-HMAC-SHA256\n..."))

    assert row.pop("id")
    assert row == {
        "diagnosed_at": datetime.fromtimestamp(NOW, UTC),
        "request_id": REQUEST_ID,
        "access_key_id": "AKALICE",
        "causes": [
            {"kind": "host", "text": "the Host header was changed"},
            {"kind": "clock", "text": "the client's clock is wrong"},
        ],
        "canonical_request": "PUT\n/xxx",
        "string_to_sign": "AWS4-HMAC-SHA256\n...",
    }


@pytest.mark.django_db
def test_what_has_no_end_is_cut() -> None:
    row = kept(Diagnosis(CAUSES, "x" * 400_000, "s"))

    assert str(row["canonical_request"]).endswith("x\n... (400000 characters)")
    assert len(str(row["canonical_request"])) < 17_000
