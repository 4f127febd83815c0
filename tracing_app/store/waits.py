"""Who was waited for: the client, the storage, those who were asked about the request, or the gateway itself.

How it is known is in ``wait_stretches``, whose stretches are summed up here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .tree import Node, Tree
from .wait_stretches import WHO, request_stretches


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


def request_waits(request: Node) -> Waits:
    """Who was waited for while a request was served. Its parts are its duration."""
    sums = dict.fromkeys(WHO, 0.0)
    for stretch in request_stretches(request):
        sums[stretch.who] += stretch.end_ns - stretch.start_ns
    return Waits(*(sums[who] / 1e6 for who in WHO))


def trace_waits(tree: Tree) -> Waits:
    """The same of a whole trace, as long as anybody waits. Between requests the client is waited for; those
    that are served at the same time share it equally."""
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
    return Waits(client, backend, policy, max(tree.served_ms - others, 0.0))


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
