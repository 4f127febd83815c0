"""What the configuration says of metrics, and what measuring is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from mizuchi_site.composition import metrics_config
from mizuchi_site.config import ConfigError, load_config
from tracing_app.metrics.config import MetricsConfig

TRACES = "tracing: {otlp: {endpoint: 'http://traces:4317', headers: {authorization: secret-of-traces}}}\n"


def told(folder: Path, text: str, **environ: str) -> MetricsConfig:
    file = folder / "config.yaml"
    file.write_text(text)
    return metrics_config(load_config(file, environ).config)


def test_without_a_word_they_are_for_this_machine_and_sent_nowhere(tmp_path: Path) -> None:
    assert told(tmp_path, TRACES) == MetricsConfig(is_enabled=True, token=None, otlp=None)


def test_a_token_may_come_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    token = "0123456789abcdef"
    config = told(tmp_path, "metrics: {token: '${T}'}", T=token)
    assert config.token == token
    assert token not in repr(config)
    assert told(tmp_path, "metrics: {token: '${T:-}'}").token is None


@pytest.mark.parametrize("token", ["short", "with spaces in it, and long", "0123456789abcdé"])
def test_a_token_that_can_be_guessed_or_not_be_sent(tmp_path: Path, token: str) -> None:
    with pytest.raises(ConfigError, match=r"metrics\.token.*at least 16 printable ASCII") as refusal:
        told(tmp_path, f"metrics: {{token: {token!r}}}")
    assert token not in str(refusal.value)


def test_they_are_sent_to_the_collector_of_traces(tmp_path: Path) -> None:
    config = told(tmp_path, TRACES + "metrics: {otlp: {enabled: true, interval_seconds: 15}}")
    assert config.otlp is not None
    assert (config.otlp.endpoint, config.push_seconds) == ("http://traces:4317", 15.0)
    assert dict(config.otlp.headers) == {"authorization": "secret-of-traces"}


def test_another_collector_gets_no_secret_of_the_first(tmp_path: Path) -> None:
    otlp = "{enabled: true, endpoint: 'http://metrics:4318', protocol: http/protobuf}"
    config = told(tmp_path, TRACES + f"metrics: {{otlp: {otlp}}}")
    assert config.otlp is not None
    assert (config.otlp.endpoint, config.otlp.protocol) == ("http://metrics:4318", "http/protobuf")
    assert config.otlp.headers == ()


def test_there_must_be_a_collector(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"metrics\.otlp\.enabled: is true, but there is no collector"):
        told(tmp_path, "metrics: {otlp: {enabled: true}}")
