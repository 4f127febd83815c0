"""Who was waited for, and when: the time of a request in stretches, each of which is somebody's.

An upload's span says how long it waited for its client and its storage (``mizuchi.upload.receive_wait_ms``,
``.backend_wait_ms``); where no body flows, the calls to the storage say it by their duration. Calls to policy
engines and to identity providers are *policy*. All other time is the gateway's.

How an upload waited, block by block, is not recorded. So its stretches are as long as its waits were, in the
order of what happens: until the last byte came (``body.received``) the client was waited for first, and what
the storage took is at the end, as far as it finds room there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from .tree import Node, Tree

Who = Literal["client", "backend", "policy", "gateway"]
WHO: tuple[Who, ...] = ("client", "backend", "policy", "gateway")

_RECEIVE_WAIT, _BACKEND_WAIT = "mizuchi.upload.receive_wait_ms", "mizuchi.upload.backend_wait_ms"
_STORAGE = "mizuchi.storage"
_RECEIVED = "body.received"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time, in nanoseconds from the start of the trace, in which one was waited for."""

    start_ns: float
    end_ns: float
    who: Who


@dataclass(frozen=True, slots=True)
class _Call:
    """A span that is nothing but waiting for somebody."""

    start_ns: float
    end_ns: float
    who: Who

    def within(self, start: float, end: float) -> Iterator[Stretch]:
        """The stretches of that part of its time."""
        yield Stretch(start, end, self.who)


@dataclass(frozen=True, slots=True)
class _Transfer:
    """An upload's span: so many nanoseconds in it were waited for client and storage. ``received_ns`` is when
    the client had sent all."""

    start_ns: float
    end_ns: float
    received_ns: float
    client_ns: float
    backend_ns: float

    def within(self, start: float, end: float) -> Iterator[Stretch]:
        """The stretches of that part of its time; what does not fit in was not waited, the client's first."""
        received = min(max(self.received_ns, start), end)
        backend = min(self.backend_ns, end - start)
        client = min(self.client_ns, end - start - backend)
        last_backend = min(backend, end - received)
        first_backend = backend - last_backend
        first_client = min(client, received - start - first_backend)
        turns: tuple[tuple[float, Who], ...] = (
            (start + first_client, "client"),
            (start + first_client + first_backend, "backend"),
            (received, "gateway"),
            (received + client - first_client, "client"),
            (end - last_backend, "gateway"),
            (end, "backend"),
        )
        for until, who in turns:
            if until > start:
                yield Stretch(start, until, who)
                start = until


def request_stretches(request: Node) -> list[Stretch]:
    """The whole time of a request, without gaps."""
    return list(_joined(_stretches(request)))


def trace_stretches(tree: Tree) -> list[Stretch]:
    """The time of a trace as long as anybody waits, without gaps. Between requests the client is waited for;
    of requests at the same time it is whom most of them wait for."""
    changes: dict[float, Counter[Who]] = {0: Counter()}
    for stretch in (each for request in tree.requests() for each in _stretches(request)):
        changes.setdefault(stretch.start_ns, Counter())[stretch.who] += 1
        changes.setdefault(stretch.end_ns, Counter())[stretch.who] -= 1
    last = max(changes)
    changes.setdefault(max(tree.served_ms * 1e6, last), Counter())
    return list(_joined(_swept(changes, last)))


def _stretches(request: Node) -> Iterator[Stretch]:
    moment: float
    moment, until = request.interval_ns
    for claim in sorted(_claims(request), key=lambda claim: (claim.start_ns, claim.end_ns)):
        start, end = max(claim.start_ns, moment), min(claim.end_ns, until)
        if start < end:
            yield Stretch(moment, start, "gateway")
            yield from claim.within(start, end)
            moment = end
    yield Stretch(moment, until, "gateway")


def _swept(changes: dict[float, Counter[Who]], last_ns: float) -> Iterator[Stretch]:
    """``changes``: how many more are waited for from a moment on. After the last request all is ours."""
    waited: Counter[Who] = Counter()
    moments = sorted(changes)
    for moment, following in pairwise(moments):
        waited.update(changes[moment])
        most = max(WHO, key=lambda who: waited[who])
        nobody: Who = "client" if moment < last_ns else "gateway"
        yield Stretch(moment, following, most if waited[most] else nobody)


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Those that follow each other and are the same one's are one; those without length are none."""
    last: Stretch | None = None
    for each in stretches:
        if each.start_ns >= each.end_ns:
            continue
        if last is not None and last.who == each.who:
            last = Stretch(last.start_ns, each.end_ns, last.who)
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def _claims(node: Node, *, is_auth: bool = False) -> Iterator[_Call | _Transfer]:
    """What the span or those below it say of others; what is inside of such a span is said with it."""
    start, end = node.interval_ns
    is_auth = is_auth or node.name.startswith(("auth.", "authz."))
    if _RECEIVE_WAIT in node.attributes or _BACKEND_WAIT in node.attributes:
        yield _Transfer(
            start, end, _received(node), _nanoseconds(node, _RECEIVE_WAIT), _nanoseconds(node, _BACKEND_WAIT)
        )
    elif _STORAGE in node.attributes:
        yield _Call(start, end, "backend")
    elif is_auth and node.kind == "CLIENT":
        yield _Call(start, end, "policy")
    else:
        for child in node.children:
            if not child.has_joined(node):
                yield from _claims(child, is_auth=is_auth)


def _received(node: Node) -> float:
    return next(
        (event.offset_ms * 1e6 for event in node.events if event.name == _RECEIVED), node.interval_ns[1]
    )


def _nanoseconds(node: Node, attribute: str) -> float:
    milliseconds = node.attributes.get(attribute)
    return milliseconds * 1e6 if isinstance(milliseconds, (int, float)) and milliseconds > 0 else 0.0
