"""Keeps recent diagnoses of the signature doctor in the database, as masked as its log lines are."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from authz.batch_writer import BatchWriter, Kept
from authz.models import SignatureDiagnosis
from authz.sigv4.diagnosis import Diagnosis

KEPT = Kept(rows=2000, age=timedelta(days=30), since="diagnosed_at")
_MAX_CHARACTERS = 16_384


class DiagnosisLog:
    """Thread-safe. Rates are the doctor's to limit."""

    def __init__(self, clock: Callable[[], float] = time.time, kept: Kept = KEPT) -> None:
        self._writer = BatchWriter(SignatureDiagnosis, kept, clock)

    def note(self, diagnosis: Diagnosis, request_id: str, access_key_id: str, now: float) -> None:
        """Keep it. ``now`` is Unix time in seconds."""
        row = SignatureDiagnosis(
            diagnosed_at=datetime.fromtimestamp(now, UTC),
            request_id=request_id,
            access_key_id=access_key_id,
            causes=[dataclasses.asdict(cause) for cause in diagnosis.causes],
            canonical_request=_cut(diagnosis.canonical_request),
            string_to_sign=_cut(diagnosis.string_to_sign),
        )
        self._writer.add(row)

    def flush(self) -> None:
        """Write what waits now."""
        self._writer.flush()

    def close(self) -> None:
        """Write what waits; within two seconds."""
        self._writer.close()


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}\n... ({len(text)} characters)"
