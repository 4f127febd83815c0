"""What the configuration says of the log, and what the log is told."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mizuchi_site.composition import logging_config, tracing_config
from mizuchi_site.config import ConfigError, LoadedConfig, load_config
from mizuchi_site.keyring import Keyring
from tracing_app.logs.config import LoggingConfig
from tracing_app.logs.levels import LogLevels

KEYS = Keyring.derive(["m" * 32])
COLLECTOR = "tracing: {otlp: {endpoint: 'http://collector:4317'}%s}\n"


def loaded(folder: Path, text: str, **environ: str) -> LoadedConfig:
    file = folder / "config.yaml"
    file.write_text(text)
    return load_config(file, environ)


def told(config: LoadedConfig) -> LoggingConfig:
    tracing = tracing_config(config.config, config.places, KEYS)
    return logging_config(config.config, config.places, tracing)


def test_defaults_are_a_console_and_nothing_else() -> None:
    config = told(load_config(None, {}))

    assert (config.level, config.format, config.console, config.export) == ("info", "console", True, None)
    assert config.levels == LogLevels()
    assert {"uploads", "authz", "tracing_app", "mizuchi_site", "mizuchi", "django"} == set(config.loggers)


def test_the_variable_goes_before_the_file(tmp_path: Path) -> None:
    text = "logging: {filter: 'uploads=debug', level: error}"

    from_file = loaded(tmp_path, text)
    from_variable = loaded(tmp_path, text, MIZUCHI_LOG="info,authz=off")

    assert told(from_file).levels.loggers == {"uploads": logging.DEBUG}
    assert told(from_variable).levels.default == logging.INFO
    assert list(told(from_variable).levels.loggers) == ["authz"]
    assert from_file.sources["logging.filter"] == "file"
    assert from_variable.sources["logging.filter"] == "environment (MIZUCHI_LOG)"
    assert from_variable.config.logging.level == "error"


@pytest.mark.parametrize("text", ["logging: {filter: info}", "logging: {}", ""])
def test_an_empty_variable_counts_as_unset(text: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, text, MIZUCHI_LOG="") == loaded(tmp_path, text)


@pytest.mark.parametrize("text", ["", "logging: {level: error}"])
def test_a_variable_that_cannot_be_right_is_a_fault_by_name(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text, MIZUCHI_LOG="info,uploads=s3cret")

    assert "logging.filter: item 2 does not end in a level; levels are off," in str(refused.value)
    assert '"info,uploads=debug,django.db=off" (the value comes from MIZUCHI_LOG)' in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_section_that_is_none_stays_the_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="logging: must be a mapping"):
        loaded(tmp_path, "logging: []", MIZUCHI_LOG="info")


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_the_export_goes_to_the_collector_of_traces_which_may_be_off(enabled: str, tmp_path: Path) -> None:
    text = COLLECTOR % f", enabled: {enabled}" + "logging: {otlp: true}"
    export = told(loaded(tmp_path, text)).export

    assert export is not None
    assert export.export.otlp is not None
    assert export.export.otlp.endpoint == "http://collector:4317"
    assert export.export.spool is None
    assert export.tracing.service_name == "mizuchi-uploadr"


def test_without_the_switch_nothing_is_exported(tmp_path: Path) -> None:
    assert told(loaded(tmp_path, COLLECTOR % "")).export is None


def test_all_layers_may_be_off(tmp_path: Path) -> None:
    config = told(loaded(tmp_path, "logging: {console: false}"))

    assert (config.console, config.export) == (False, None)
