"""What the tracing room is told at start. Values only, validated before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tracing_app.exporting.config import ExportConfig

Strategy = Literal["always", "never", "ratio", "parent_based"]
MultipartTraces = Literal["join", "link"]
KeyRedaction = Literal["full", "prefix", "hash"]


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """Head sampling. ``ratio`` is the share of traces for ``ratio``, of roots for ``parent_based``, and of
    remote parents whose sampled flag is obeyed."""

    strategy: Strategy = "parent_based"
    ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class TracingConfig:
    """Everything the tracing room needs to know.

    ``export`` None: there is nowhere to send traces to, so none are recorded. ``multipart``: later
    requests of a multipart upload join the trace it began in, or are traces of their own, linked to it.
    ``hash_keys`` (32 bytes each): the first hashes subjects and keys.
    """

    service_name: str
    export: ExportConfig | None = None
    resource: Mapping[str, str] = field(default_factory=dict)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    redaction: KeyRedaction = "prefix"
    multipart: MultipartTraces = "join"
    hash_keys: tuple[bytes, ...] = field(default=(), repr=False)
