"""Where the time of an upload went: who waited for whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tracing_app.store.waits import Waits
from uploads.models import UploadRecord

Who = Literal["client", "backend", "policy", "us"]
LABELS: dict[Who, str] = {
    "client": "waiting for the client",
    "backend": "waiting for the storage",
    "policy": "waiting for the policy",
    "us": "the gateway itself",
}


@dataclass(frozen=True, slots=True)
class Share:
    """``offset`` and ``width`` are parts of the whole, 0 to 1."""

    who: Who
    ms: float
    offset: float
    width: float

    @property
    def label(self) -> str:
        return LABELS[self.who]


@dataclass(frozen=True, slots=True)
class Timing:
    """The record (``known_from``) knows less than the trace."""

    total_ms: float
    shares: Sequence[Share]
    known_from: Literal["trace", "record"]


def timing_of_trace(waits: Waits) -> Timing | None:
    """By the trace of all its requests: between those of a multipart upload the client is waited for."""
    return _divided(
        {
            "policy": waits.policy_ms,
            "client": waits.client_ms,
            "backend": waits.backend_ms,
            "us": waits.gateway_ms,
        },
        "trace",
    )


def timing_of_record(record: UploadRecord, policy_ms: float) -> Timing | None:
    """By the record of an upload in one request, and what its policy took before that. None when it is not
    over, or the record does not know who was waited for."""
    if record.finished_at is None or record.receive_wait_ms is None or record.backend_wait_ms is None:
        return None
    client, backend = record.receive_wait_ms, record.backend_wait_ms
    lasted = (record.finished_at - record.started_at).total_seconds() * 1e3
    ours = max(lasted - client - backend, 0.0)
    return _divided({"policy": policy_ms, "client": client, "backend": backend, "us": ours}, "record")


def _divided(parts: dict[Who, float], known_from: Literal["trace", "record"]) -> Timing | None:
    """The parts of a whole, in milliseconds; those without any are left out."""
    total = sum(parts.values())
    return Timing(total, tuple(_shares(parts.items(), total)), known_from) if total > 0 else None


def _shares(parts: Iterable[tuple[Who, float]], total: float) -> Iterable[Share]:
    offset = 0.0
    for who, ms in parts:
        if ms > 0:
            yield Share(who, ms, offset, ms / total)
            offset += ms / total
