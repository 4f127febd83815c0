"""Who was waited for: the client, the storage, those who were asked about the request, or the gateway itself.

An upload's span says how long it waited for its client and its storage (``mizuchi.upload.receive_wait_ms``,
``.backend_wait_ms``); where no body flows, the calls to the storage say it by their duration. Calls to policy
engines and to identity providers are *policy*. All other time is the gateway's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .tree import Node, Tree

_RECEIVE_WAIT, _BACKEND_WAIT = "mizuchi.upload.receive_wait_ms", "mizuchi.upload.backend_wait_ms"
_STORAGE = "mizuchi.storage"


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds, which together are the duration of what was looked at."""

    client_ms: float
    backend_ms: float
    policy_ms: float
    gateway_ms: float

    @property
    def total_ms(self) -> float:
        return self.client_ms + self.backend_ms + self.policy_ms + self.gateway_ms


@dataclass(frozen=True, slots=True)
class _Claim:
    """From ``start`` to ``end`` (nanoseconds) so many nanoseconds were waited for others."""

    start: int
    end: int
    client: float = 0
    backend: float = 0
    policy: float = 0

    def after(self, moment: int, until: int) -> _Claim:
        """What of it is in that time: for the storage first, then for the client."""
        start, end = max(self.start, moment), min(self.end, until)
        length = max(end - start, 0)
        backend = min(self.backend, length)
        return _Claim(
            start, start + length, min(self.client, length - backend), backend, min(self.policy, length)
        )


def request_waits(request: Node) -> Waits:
    """Who was waited for while a request was served. Its parts are its duration."""
    moment, until = request.interval_ns
    duration = until - moment
    client = backend = policy = 0.0
    for claim in sorted(_claims(request), key=lambda claim: (claim.start, claim.end)):
        inside = claim.after(moment, until)
        moment = max(moment, inside.end)
        client, backend, policy = client + inside.client, backend + inside.backend, policy + inside.policy
    others = client + backend + policy
    return Waits(client / 1e6, backend / 1e6, policy / 1e6, max(duration - others, 0) / 1e6)


def trace_waits(tree: Tree) -> Waits:
    """The same of a whole trace. Between requests the client is waited for; requests that are served at the
    same time share it equally."""
    requests = tree.requests()
    intervals = [request.interval_ns for request in requests]
    shares, between = _shares(intervals)
    client, backend, policy = between, 0.0, 0.0
    for request, share in zip(requests, shares, strict=True):
        waits = request_waits(request)
        part = share / waits.total_ms if waits.total_ms else 0.0
        client += waits.client_ms * part
        backend += waits.backend_ms * part
        policy += waits.policy_ms * part
    others = client + backend + policy
    return Waits(client, backend, policy, max(tree.duration_ms - others, 0.0))


def _claims(node: Node, *, is_auth: bool = False) -> Iterator[_Claim]:
    """What the span or those below it say of others; what is inside of such a span is said with it."""
    start, end = node.interval_ns
    is_auth = is_auth or node.name.startswith(("auth.", "authz."))
    if _RECEIVE_WAIT in node.attributes or _BACKEND_WAIT in node.attributes:
        yield _Claim(
            start, end, client=_nanoseconds(node, _RECEIVE_WAIT), backend=_nanoseconds(node, _BACKEND_WAIT)
        )
    elif _STORAGE in node.attributes:
        yield _Claim(start, end, backend=end - start)
    elif is_auth and node.kind == "CLIENT":
        yield _Claim(start, end, policy=end - start)
    else:
        for child in node.children:
            if not child.has_joined(node):
                yield from _claims(child, is_auth=is_auth)


def _nanoseconds(node: Node, attribute: str) -> float:
    milliseconds = node.attributes.get(attribute)
    return milliseconds * 1e6 if isinstance(milliseconds, (int, float)) and milliseconds > 0 else 0.0


def _shares(intervals: Sequence[tuple[int, int]]) -> tuple[list[float], float]:
    """Milliseconds for each interval, those at the same time sharing equally; and those between the first and
    the last in which there was none."""
    begun, ended = Counter(start for start, _ in intervals), Counter(end for _, end in intervals)
    moments = sorted(begun.keys() | ended.keys())
    passed = dict.fromkeys(moments[:1], 0.0)
    under_way, between = 0, 0
    for moment, following in pairwise(moments):
        under_way += begun[moment] - ended[moment]
        length = following - moment
        passed[following] = passed[moment] + (length / under_way if under_way else 0)
        between += 0 if under_way else length
    return [(passed[end] - passed[start]) / 1e6 for start, end in intervals], between / 1e6
