from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mizuchi_site.config import ConfigError, load_config

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}


def effective(environ: dict[str, str], path: str, file: Path | None = None) -> tuple[Any, str]:
    loaded = load_config(file, environ)
    value: Any = loaded.config.tracing
    for part in path.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value, loaded.sources[f"tracing.{path}"]


@pytest.mark.parametrize(
    ("environ", "path", "value", "variable"),
    [
        (ENDPOINT, "otlp.endpoint", "http://collector:4317", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (
            {**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:4317"},
            "otlp.endpoint",
            "http://traces:4317",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            "otlp.protocol",
            "http/protobuf",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ),
        (
            {"OTEL_EXPORTER_OTLP_TIMEOUT": "2500"},
            "otlp.timeout_seconds",
            2.5,
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ),
        (
            {"OTEL_EXPORTER_OTLP_COMPRESSION": "none"},
            "otlp.compression",
            "none",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
        ),
        ({"OTEL_SERVICE_NAME": "edge"}, "service_name", "edge", "OTEL_SERVICE_NAME"),
        ({"OTEL_SDK_DISABLED": "true"}, "enabled", False, "OTEL_SDK_DISABLED"),
        ({"OTEL_SDK_DISABLED": "whatever"}, "enabled", True, "OTEL_SDK_DISABLED"),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "sampling.strategy", "never", "OTEL_TRACES_SAMPLER"),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_always_off"},
            "sampling.ratio",
            0.0,
            "OTEL_TRACES_SAMPLER",
        ),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"},
            "sampling.ratio",
            0.25,
            "OTEL_TRACES_SAMPLER_ARG",
        ),
        ({"OTEL_BSP_SCHEDULE_DELAY": "100"}, "batch.scheduled_delay_millis", 100, "OTEL_BSP_SCHEDULE_DELAY"),
    ],
)
def test_a_standard_variable_counts_where_the_file_says_nothing(
    environ: dict[str, str], path: str, value: object, variable: str
) -> None:
    assert effective(environ, path) == (value, f"environment ({variable})")


def test_the_file_goes_before_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("tracing: {service_name: from-file, otlp: {endpoint: null}}")

    assert effective({**ENDPOINT, "OTEL_SERVICE_NAME": "edge"}, "service_name", file) == ("from-file", "file")
    assert effective(ENDPOINT, "otlp.endpoint", file) == (None, "file")


def test_headers_are_secrets_and_percent_decoded() -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20t0k3n, x-a=b"}

    loaded = load_config(None, environ)

    headers = loaded.config.tracing.otlp.headers
    assert {name: text.get_secret_value() for name, text in headers.items()} == {
        "authorization": "Bearer t0k3n",
        "x-a": "b",
    }
    assert "t0k3n" not in repr(loaded.config)


def test_an_empty_variable_counts_as_unset() -> None:
    assert effective({"OTEL_SERVICE_NAME": ""}, "service_name") == ("mizuchi-uploadr", "default")


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}, "tracing.otlp.endpoint"),
        ({"OTEL_TRACES_SAMPLER": "jaeger_remote"}, "tracing.sampling.strategy"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "tracing.otlp.timeout_seconds"),
    ],
)
def test_a_variable_that_cannot_be_right_is_a_fault_by_name(environ: dict[str, str], path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_config(None, environ)

    assert path in str(refused.value)
    assert next(iter(environ)) in str(refused.value)
