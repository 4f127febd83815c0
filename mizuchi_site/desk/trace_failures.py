"""What failed in a trace: requests that failed the same way are told together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracing_app.store.tree import Node
from uploads.advice import Advice, advice_for

from .shown_spans import own_spans

REQUESTS_NAMED: Final = 10
FAILURES_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """``number`` among the requests of the trace, from 0."""

    number: int
    span_id: str
    operation: str


@dataclass(frozen=True, slots=True)
class Failure:
    """``code`` is S3's, "" where there is only a status. ``is_ours``: of the gateway or its storage.
    ``requests`` are the first of ``count``."""

    code: str
    status: int | None
    is_ours: bool
    requests: Sequence[FailedRequest]
    count: int

    @property
    def advice(self) -> Advice | None:
        """None for a code that is not ours."""
        return advice_for(self.code)

    @property
    def unnamed(self) -> int:
        return self.count - len(self.requests)


def failures(requests: Sequence[Node]) -> list[Failure]:
    """Of the requests of a trace in the order of time; the first ways to fail, should there be many."""
    alike: dict[tuple[str, int | None, bool], list[FailedRequest]] = {}
    for number, request in enumerate(requests):
        code, status = _code(request), _status(request)
        if request.is_error or code or (status or 0) >= 400:
            way = code, status, request.is_error or (status or 0) >= 500
            failed = FailedRequest(number, request.span_id, operation_of(request))
            alike.setdefault(way, []).append(failed)
    found = [Failure(*way, failed[:REQUESTS_NAMED], len(failed)) for way, failed in alike.items()]
    return found[:FAILURES_SHOWN]


def operation_of(request: Node) -> str:
    """S3's name for it, or the span's."""
    return str(request.attributes.get("rpc.method", "")).removeprefix("S3/") or request.name


def _status(request: Node) -> int | None:
    status = request.attributes.get("http.response.status_code")
    return status if isinstance(status, int) else None


def _code(request: Node) -> str:
    """What was answered; for an answer that is an error without saying which, what a span below it says."""
    status = _status(request)
    spans = own_spans(request) if status is None or status >= 400 else iter([request])
    return next((str(node.attributes["error.type"]) for node in spans if "error.type" in node.attributes), "")
