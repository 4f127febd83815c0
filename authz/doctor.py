"""Tells the operator's log why a signature does not match."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from authz.sigv4.authorization import Signed
from authz.sigv4.diagnosis import HostAlternatives, diagnose
from authz.sigv4.parts import RequestParts
from tracing_app.api import trace_id

logger = logging.getLogger("authz.sigv4.doctor")

_PAUSE_SECONDS = 0.1


class SignatureDoctor:
    """One diagnosis in a tenth of a second: it costs milliseconds, and guessing signatures must not buy
    them without end."""

    def __init__(self, known_hosts: Sequence[str] = ()) -> None:
        self._alternatives = HostAlternatives(domains=tuple(known_hosts))
        self._free_at = 0.0

    def consult(
        self, parts: RequestParts, signed: Signed, secret: str, *, now: float, max_clock_skew_seconds: int
    ) -> None:
        """Log the likely cause, unless busy. ``now`` is Unix time in seconds."""
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
            "; ".join(diagnosis.causes),
            diagnosis.canonical_request,
            diagnosis.string_to_sign,
        )
