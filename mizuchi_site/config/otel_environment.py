"""The standard ``OTEL_*`` variables, honoured where the file says nothing.

Source: OpenTelemetry specification, "Environment variable specification" and "OTLP exporter configuration";
timeouts and delays are milliseconds. A variable for traces goes before the one for all signals. An empty
variable counts as unset. ``OTEL_RESOURCE_ATTRIBUTES`` is read by the SDK's Resource itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from .expand import Expanded

Path = tuple[str, ...]

_SAMPLERS: Mapping[str, tuple[str, str | None]] = {
    "always_on": ("always", None),
    "always_off": ("never", None),
    "traceidratio": ("ratio", None),
    "parentbased_always_on": ("parent_based", "1.0"),
    "parentbased_always_off": ("parent_based", "0.0"),
    "parentbased_traceidratio": ("parent_based", None),
}


def with_otel_environment(tree: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """``tree`` with the values of ``OTEL_*`` variables where it has none of its own."""
    for location, value in _values(environ):
        tree = _put(tree, location, value)
    return tree


def _values(environ: Mapping[str, str]) -> Iterator[tuple[Path, Any]]:
    for location, names, convert in _VARIABLES:
        name = next((name for name in names if environ.get(name)), None)
        if name is not None:
            yield ("tracing", *location), convert(name, environ[name])
    yield from _sampling(environ)


def _text(name: str, text: str) -> Expanded:
    return Expanded(text, (name,))


def _seconds(name: str, text: str) -> Expanded:
    return Expanded(str(int(text) / 1000) if re.fullmatch("[0-9]{1,9}", text) else text, (name,))


def _enabled(name: str, text: str) -> Expanded:
    return Expanded("false" if text.lower() == "true" else "true", (name,))


def _headers(name: str, text: str) -> dict[str, Expanded]:
    """``key=value`` pairs with commas between, values percent-encoded (W3C Baggage)."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair.strip())
    return {key.strip().lower(): Expanded(unquote(value.strip()), (name,)) for key, _, value in pairs}


def _sampling(environ: Mapping[str, str]) -> Iterator[tuple[Path, Expanded]]:
    name = environ.get("OTEL_TRACES_SAMPLER")
    if not name:
        return
    strategy, ratio = _SAMPLERS.get(name, (name, None))
    yield ("tracing", "sampling", "strategy"), Expanded(strategy, ("OTEL_TRACES_SAMPLER",))
    if ratio is not None:
        yield ("tracing", "sampling", "ratio"), Expanded(ratio, ("OTEL_TRACES_SAMPLER",))
    elif argument := environ.get("OTEL_TRACES_SAMPLER_ARG"):
        yield ("tracing", "sampling", "ratio"), Expanded(argument, ("OTEL_TRACES_SAMPLER_ARG",))


def _put(tree: dict[str, Any], location: Path, value: Any) -> dict[str, Any]:
    key, *rest = location
    if not rest:
        return tree if key in tree else {**tree, key: value}
    child = tree.get(key, {})
    if not isinstance(child, dict):
        return tree
    return {**tree, key: _put(child, tuple(rest), value)}


def _otlp(name: str) -> tuple[str, str]:
    return f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}"


_VARIABLES: tuple[tuple[Path, tuple[str, ...], Callable[[str, str], Any]], ...] = (
    (("enabled",), ("OTEL_SDK_DISABLED",), _enabled),
    (("service_name",), ("OTEL_SERVICE_NAME",), _text),
    (("otlp", "endpoint"), _otlp("ENDPOINT"), _text),
    (("otlp", "protocol"), _otlp("PROTOCOL"), _text),
    (("otlp", "timeout_seconds"), _otlp("TIMEOUT"), _seconds),
    (("otlp", "compression"), _otlp("COMPRESSION"), _text),
    (("otlp", "headers"), _otlp("HEADERS"), _headers),
    (("otlp", "tls", "ca_file"), _otlp("CERTIFICATE"), _text),
    (("batch", "scheduled_delay_millis"), ("OTEL_BSP_SCHEDULE_DELAY",), _text),
    (("batch", "max_queue_size"), ("OTEL_BSP_MAX_QUEUE_SIZE",), _text),
    (("batch", "max_export_batch_size"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE",), _text),
)
