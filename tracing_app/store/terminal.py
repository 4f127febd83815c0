"""Traces for a terminal: a list, and the waterfall of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from .critical_path import span_times
from .models import StoredTrace
from .tree import Node, Tree
from .waits import trace_waits

_BAR_WIDTH = 32
_NAME_WIDTH = 44
_FACTS = {
    "http.response.status_code": "status",
    "error.type": "error",
    "user_agent.name": "client",
    "user.hash": "principal",
    "mizuchi.auth.reason": "auth",
    "mizuchi.authz.scope.reason": "scope",
    "mizuchi.authz.decision": "decision",
    "mizuchi.authz.reason": "because",
    "mizuchi.upload.bytes": "bytes",
    "mizuchi.upload.receive_wait_ms": "client_ms",
    "mizuchi.upload.backend_wait_ms": "backend_ms",
    "aws.s3.part_number": "part",
    "mizuchi.sampling.reason": "kept",
    "mizuchi.sampling.rule": "rule",
}
"""Attributes that a line shows, and what it calls them."""


def list_lines(rows: Iterable[StoredTrace]) -> Iterator[str]:
    """One line for each request, its trace id last."""
    for row in rows:
        kept = f"{row.reason}:{row.rule}" if row.rule else row.reason
        yield printable(
            f"{row.started_at:%Y-%m-%d %H:%M:%S}  {_duration(row.duration_ms):>9}  {row.status or '-':>3} "
            f"{row.error or '-':18.18}  {row.operation or row.name:24.24}  {row.bucket}/{row.key}  {kept}  "
            f"{row.trace_id}"
        )


def waterfall_lines(tree: Tree) -> Iterator[str]:
    """Who was waited for, then the spans as a tree, each with its facts, its events and a bar on the time
    line of the whole trace; the bar is of ``#`` where the span is on the critical path."""
    began = datetime.fromtimestamp(tree.start_ns / 1e9, UTC)
    yield f"trace {tree.trace_id}  {began:%Y-%m-%d %H:%M:%S} UTC  {_duration(tree.duration_ms)}"
    yield _waited_for(tree)
    times = span_times(tree)
    for depth, node in tree.walk():
        name = "  " * depth + ("! " if node.is_error else "") + node.name
        fill = "#" if times[node.span_id].is_critical else "-"
        bar, duration = _bar(node, tree, fill), _duration(node.duration_ms)
        line = f"{name:{_NAME_WIDTH}.{_NAME_WIDTH}} |{bar}| {duration:>9}  {_facts(node)}"
        yield printable(line).rstrip()
        for event in node.events:
            yield printable(f"{'  ' * depth}  . {event.name} at {_duration(event.offset_ms)}")
        if node.is_orphan and node.kind != "SERVER":
            yield f"{'  ' * depth}  . its parent is not here"


def printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _waited_for(tree: Tree) -> str:
    waits = trace_waits(tree)
    parts = {
        "client": waits.client_ms,
        "backend": waits.backend_ms,
        "policy": waits.policy_ms,
        "gateway": waits.gateway_ms,
    }
    told = (f"{who} {_duration(waited) if waited >= 0.001 else 0}" for who, waited in parts.items())
    return f"waited for: {', '.join(told)}"


def _bar(node: Node, tree: Tree, fill: str) -> str:
    scale = _BAR_WIDTH / tree.duration_ms if tree.duration_ms else 0
    start = min(int(node.offset_ms * scale), _BAR_WIDTH - 1)
    length = min(max(round(node.duration_ms * scale), 1), _BAR_WIDTH - start)
    return " " * start + fill * length + " " * (_BAR_WIDTH - start - length)


def _duration(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.1f} ms" if milliseconds >= 0.1 else f"{milliseconds * 1000:.0f} us"


def _facts(node: Node) -> str:
    found = {label: node.attributes[name] for name, label in _FACTS.items() if name in node.attributes}
    return " ".join(
        f"{label}={value:.1f}" if isinstance(value, float) else f"{label}={value}"
        for label, value in found.items()
    )
