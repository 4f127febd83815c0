"""Tells the operator why a signature does not match: in the log, and to who keeps diagnoses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from authz.sigv4.authorization import Signed
from authz.sigv4.diagnosis import Diagnosis, HostAlternatives, diagnose
from authz.sigv4.parts import RequestParts
from tracing_app.api import trace_id

logger = logging.getLogger("authz.sigv4.doctor")

_PAUSE_SECONDS = 0.1

Note = Callable[[Diagnosis, str, str, float], None]
"""Is given the diagnosis, the request id, the access key id, and Unix time in seconds."""


class SignatureDoctor:
    """One diagnosis in a tenth of a second: it costs milliseconds, and guessing signatures must not buy
    them without end."""

    def __init__(self, known_hosts: Sequence[str] = (), note: Note | None = None) -> None:
        self._note = note
        self._alternatives = HostAlternatives(domains=tuple(known_hosts))
        self._free_at = 0.0

    def consult(
        self, parts: RequestParts, signed: Signed, secret: str, *, now: float, max_clock_skew_seconds: int
    ) -> None:
        """Tell the likely cause, unless busy. ``now`` is Unix time in seconds."""
        if now < self._free_at:
            return
        self._free_at = now + _PAUSE_SECONDS
        diagnosis = diagnose(
            parts,
            signed,
            secret,
            now=now,
            alternatives=self._alternatives,
            max_clock_skew_seconds=max_clock_skew_seconds,
        )
        logger.warning(
            "signature of request %s does not match; likely cause: %s\n"
            "canonical request as computed:\n%s\nstring to sign as computed:\n%s",
            trace_id(),
            "; ".join(cause.text for cause in diagnosis.causes),
            diagnosis.canonical_request,
            diagnosis.string_to_sign,
        )
        if self._note is not None:
            self._note(diagnosis, trace_id(), signed.access_key_id, now)
