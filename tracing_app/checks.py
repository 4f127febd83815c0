"""Django system checks of telemetry: what the configuration may say, and hardly anybody means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Warning

from tracing_app.apps import tracing_config
from tracing_app.config import SamplingConfig, TracingConfig
from tracing_app.exporting.config import ExportConfig
from tracing_app.exporting.endpoint import parse_endpoint
from tracing_app.loopback import is_loopback


def check_tracing(**kwargs: Any) -> list[CheckMessage]:
    """mizuchi.W010 to W015. Where nothing is to be traced there is nothing to say."""
    config = tracing_config()
    if not config.is_enabled:
        return []
    if config.export is None and config.store is None:
        return [*_nowhere_to_go()]
    messages = [*_nothing_kept(config), *_keys_in_full(config)]
    if config.export is not None:
        messages += [message for check in _EXPORT_CHECKS for message in check(config.export)]
    return [*messages]


def _nowhere_to_go() -> Iterator[Warning]:
    yield Warning(
        "Traces are wanted, but have no place to go: there is no collector, and tracing.local_store is off.",
        hint="Set tracing.otlp.endpoint or tracing.local_store.enabled, or tracing.enabled to false.",
        id="mizuchi.W015",
    )


def _credentials_in_clear(export: ExportConfig) -> Iterator[Warning]:
    otlp = export.otlp
    if otlp is None or not otlp.headers:
        return
    endpoint = parse_endpoint(otlp.endpoint, otlp.protocol, is_full_url=otlp.is_full_url)
    if not endpoint.is_tls and not is_loopback(endpoint.host):
        yield Warning(
            f"tracing.otlp.headers go to {endpoint.host} unencrypted: whoever is on the way can read them.",
            hint="Use an https endpoint, or a collector on this machine.",
            id="mizuchi.W010",
        )


def _nothing_kept(config: TracingConfig) -> Iterator[Warning]:
    if _keeps_nothing(config.sampling):
        yield Warning(
            "There is a place for traces, but tracing.sampling keeps none.",
            hint="Set tracing.sampling, or tracing.enabled to false: that costs less and says what is meant.",
            id="mizuchi.W011",
        )


def _keeps_nothing(sampling: SamplingConfig) -> bool:
    """Neither the head nor what is looked at in the end."""
    by_head = sampling.strategy == "always" or (sampling.strategy != "never" and sampling.ratio > 0)
    return not (by_head or sampling.errors or sampling.slow_request_ms is not None or sampling.rules)


def _spool_not_writable(export: ExportConfig) -> Iterator[Warning]:
    if export.spool is None:
        return
    existing = next(
        path for path in (export.spool.directory, *export.spool.directory.parents) if path.exists()
    )
    if not _is_writable_folder(existing):
        yield Warning(
            f"No trace can be spooled: {existing} is no folder that this user may write to. What a collector "
            "that is away cannot take will be lost.",
            hint="Give the user of the gateway the folder, name another in tracing.spool.directory, or set "
            "tracing.spool.max_bytes to 0.",
            id="mizuchi.W012",
        )


def _batch_beyond_queue(export: ExportConfig) -> Iterator[Warning]:
    batch = export.batch
    if batch.max_export_batch_size > batch.max_queue_spans:
        yield Warning(
            "A batch of traces is larger than the queue it is taken from: it never fills, and what the queue "
            "cannot hold until the delay is over is dropped.",
            hint="Make tracing.batch.max_queue_size a few times tracing.batch.max_export_batch_size.",
            id="mizuchi.W013",
        )


def _keys_in_full(config: TracingConfig) -> Iterator[Warning]:
    if config.redaction == "full":
        yield Warning(
            "Traces show the full keys of objects, with whatever they tell of persons.",
            hint="Set tracing.redaction.keys to prefix or hash, unless keys hold nothing personal.",
            id="mizuchi.W014",
        )


_EXPORT_CHECKS: tuple[Callable[[ExportConfig], Iterator[Warning]], ...] = (
    _credentials_in_clear,
    _spool_not_writable,
    _batch_beyond_queue,
)


def _is_writable_folder(path: Path) -> bool:
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
