"""Django system checks of telemetry: what the configuration may say, and hardly anybody means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Warning

from tracing_app.apps import tracing_config
from tracing_app.config import SamplingConfig, TracingConfig
from tracing_app.exporting.config import ExportConfig
from tracing_app.exporting.endpoint import parse_endpoint


def check_tracing(**kwargs: Any) -> list[CheckMessage]:
    """mizuchi.W010 to W014. Where nothing is traced there is nothing to say."""
    config = tracing_config()
    if config.export is None:
        return []
    return [message for check in _CHECKS for message in check(config, config.export)]


def _credentials_in_clear(config: TracingConfig, export: ExportConfig) -> Iterator[Warning]:
    otlp = export.otlp
    if otlp is None or not otlp.headers:
        return
    endpoint = parse_endpoint(otlp.endpoint, otlp.protocol, is_full_url=otlp.is_full_url)
    if not endpoint.is_tls and not _is_this_machine(endpoint.host):
        yield Warning(
            f"tracing.otlp.headers go to {endpoint.host} unencrypted: whoever is on the way can read them.",
            hint="Use an https endpoint, or a collector on this machine.",
            id="mizuchi.W010",
        )


def _nothing_kept(config: TracingConfig, export: ExportConfig) -> Iterator[Warning]:
    if _keeps_nothing(config.sampling):
        yield Warning(
            "There is a place for traces, but tracing.sampling keeps none.",
            hint="Set tracing.sampling, or tracing.enabled to false: that costs less and says what is meant.",
            id="mizuchi.W011",
        )


def _keeps_nothing(sampling: SamplingConfig) -> bool:
    return sampling.strategy == "never" or (sampling.strategy != "always" and sampling.ratio == 0)


def _spool_not_writable(config: TracingConfig, export: ExportConfig) -> Iterator[Warning]:
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


def _batch_beyond_queue(config: TracingConfig, export: ExportConfig) -> Iterator[Warning]:
    batch = export.batch
    if batch.max_export_batch_size > batch.max_queue_spans:
        yield Warning(
            "A batch of traces is larger than the queue it is taken from: it never fills, and what the queue "
            "cannot hold until the delay is over is dropped.",
            hint="Make tracing.batch.max_queue_size a few times tracing.batch.max_export_batch_size.",
            id="mizuchi.W013",
        )


def _keys_in_full(config: TracingConfig, export: ExportConfig) -> Iterator[Warning]:
    if config.redaction == "full":
        yield Warning(
            "Traces show the full keys of objects, with whatever they tell of persons.",
            hint="Set tracing.redaction.keys to prefix or hash, unless keys hold nothing personal.",
            id="mizuchi.W014",
        )


_CHECKS: tuple[Callable[[TracingConfig, ExportConfig], Iterator[Warning]], ...] = (
    _credentials_in_clear,
    _nothing_kept,
    _spool_not_writable,
    _batch_beyond_queue,
    _keys_in_full,
)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_writable_folder(path: Path) -> bool:
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
