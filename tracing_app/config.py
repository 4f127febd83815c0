"""What the tracing room is told at start. Values only, validated before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tracing_app.exporting.config import ExportConfig
from tracing_app.sampling.rules import RuleText

Strategy = Literal["always", "never", "ratio", "parent_based"]
MultipartTraces = Literal["join", "link"]
KeyRedaction = Literal["full", "prefix", "hash"]


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """Which traces are kept. ``ratio`` is the share of traces for ``ratio``, of roots for ``parent_based``,
    and of remote parents whose sampled flag is obeyed. Whatever the head chose, traces with an error of ours
    are kept (``errors``), those at least so slow (``slow_request_ms``; None: none is), and what ``rules``
    say. ``max_traces_per_second`` bounds all but errors."""

    strategy: Strategy = "parent_based"
    ratio: float = 1.0
    errors: bool = True
    slow_request_ms: float | None = 2000.0
    max_traces_per_second: float | None = None
    rules: tuple[RuleText, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """The local store of traces keeps so many, of at most that age."""

    max_traces: int = 10_000
    max_age_hours: float = 72.0


@dataclass(frozen=True, slots=True)
class TracingConfig:
    """Everything the tracing room needs to know.

    ``export`` is the way to a collector, ``store`` the store on this machine; both None: there is nowhere for
    traces to go, so none are recorded, which is meant so unless ``is_enabled``. ``multipart``: later
    requests of a multipart upload join the trace it began in, or are traces of their own, linked to it.
    ``baggage_hosts`` are handed the baggage that comes in, as ``host`` or ``host:port``.
    ``hash_keys`` (32 bytes each): the first hashes subjects and keys. ``ui_url``: see ``tracing_app.ui_url``.
    """

    service_name: str
    export: ExportConfig | None = None
    store: StoreConfig | None = None
    resource: Mapping[str, str] = field(default_factory=dict)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    redaction: KeyRedaction = "prefix"
    multipart: MultipartTraces = "join"
    baggage_hosts: tuple[str, ...] = ()
    hash_keys: tuple[bytes, ...] = field(default=(), repr=False)
    is_enabled: bool = True
    ui_url: str | None = None
