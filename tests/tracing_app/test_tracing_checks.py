"""``manage.py check``: telemetry that is configured without a fault, and yet not as anybody means it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from mizuchi_site import composition
from mizuchi_site.config import load_config
from mizuchi_site.keyring import Keyring
from tracing_app.config import SamplingConfig, TracingConfig
from tracing_app.exporting.config import BatchConfig, ExportConfig, OtlpConfig, SpoolConfig
from tracing_app.sampling.rules import RuleText

CREDENTIAL = "a-credential"
HEADERS = (("authorization", CREDENTIAL),)
NEVER = SamplingConfig("never", errors=False, slow_request_ms=None)
OFF: dict[str, Any] = {"is_enabled": False, "export": None, "store": None}


def found() -> list[CheckMessage]:
    """Our own messages; every check is run as a command does it."""
    return [message for message in run_checks() if str(message.id).startswith("mizuchi.")]


def collector(endpoint: str = "https://collector.example:4317", **otlp: Any) -> ExportConfig:
    return ExportConfig(OtlpConfig(endpoint, **otlp))


GOOD = {
    "over TLS": {"export": collector(headers=HEADERS)},
    "on this machine": {"export": collector("http://127.0.0.1:4317", headers=HEADERS)},
    "on this machine, by name": {"export": collector("http://localhost:4317", headers=HEADERS)},
    "on this machine, IPv6": {"export": collector("http://[::1]:4317", headers=HEADERS)},
    "no credentials": {"export": collector("http://collector.example:4317")},
    "console": {"export": ExportConfig()},
    "a share": {"export": collector(), "sampling": SamplingConfig("ratio", 0.001)},
    "only errors": {"export": collector(), "sampling": replace(NEVER, errors=True)},
    "only slow ones": {"export": collector(), "sampling": replace(NEVER, slow_request_ms=2000)},
    "only by rules": {"export": collector(), "sampling": replace(NEVER, rules=(RuleText("big", "always"),))},
    "off": OFF,
    "off, never": {**OFF, "sampling": NEVER},
    "off, full": {**OFF, "redaction": "full"},
    "to the store only": {"export": None},
    "to a collector only": {"export": collector(), "store": None},
    "batch as large as the queue": {
        "export": replace(collector(), batch=BatchConfig(max_queue_spans=512, max_export_batch_size=512))
    },
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_what_is_meant_so_is_not_warned_of(settings: Settings, changes: dict[str, Any]) -> None:
    settings.TRACING = replace(settings.TRACING, **changes)

    assert found() == []


@pytest.mark.parametrize(
    ("expected", "changes", "says"),
    [
        (
            "mizuchi.W010",
            {"export": collector("http://collector.example:4317", headers=HEADERS)},
            "https",
        ),
        ("mizuchi.W010", {"export": collector("http://192.0.2.1:4317", headers=HEADERS)}, "https"),
        ("mizuchi.W011", {"export": collector(), "sampling": NEVER}, "tracing.sampling"),
        (
            "mizuchi.W011",
            {"export": collector(), "sampling": replace(NEVER, strategy="ratio", ratio=0.0)},
            "tracing.sampling",
        ),
        (
            "mizuchi.W011",
            {"export": collector(), "sampling": replace(NEVER, strategy="parent_based", ratio=0.0)},
            "tracing.sampling",
        ),
        ("mizuchi.W011", {"sampling": NEVER}, "tracing.sampling"),
        (
            "mizuchi.W013",
            {"export": replace(collector(), batch=BatchConfig(max_queue_spans=511))},
            "tracing.batch.max_queue_size",
        ),
        ("mizuchi.W014", {"export": collector(), "redaction": "full"}, "tracing.redaction.keys"),
        ("mizuchi.W014", {"redaction": "full"}, "tracing.redaction.keys"),
        ("mizuchi.W015", {"export": None, "store": None}, "tracing.local_store.enabled"),
    ],
    ids=[
        "credentials in clear",
        "in clear, address",
        "never",
        "ratio of none",
        "parents by a ratio of none",
        "never, for the store",
        "batch",
        "full keys",
        "full keys in the store",
        "no place",
    ],
)
def test_what_cannot_be_meant_is_a_warning(
    settings: Settings, expected: str, changes: dict[str, Any], says: str
) -> None:
    settings.TRACING = replace(settings.TRACING, **changes)

    (message,) = found()

    assert (message.id, message.is_serious()) == (expected, False)
    assert says in str(message.hint)
    assert CREDENTIAL not in str(message)


@pytest.mark.parametrize(
    ("tracing", "expected"),
    [
        ("{enabled: false}", []),
        ("{enabled: false, local_store: {enabled: false}}", []),
        ("{local_store: {enabled: false}}", ["mizuchi.W015"]),
        ("{local_store: {enabled: false}, otlp: {endpoint: 'http://127.0.0.1:4317'}}", []),
        ("{sampling: {ratio: 0}}", []),
        ("{sampling: {ratio: 0, errors: false, slow_request_ms: null}}", ["mizuchi.W011"]),
    ],
    ids=["off", "all off", "store off", "store off, a collector", "errors and slow ones", "none"],
)
def test_what_a_file_says(settings: Settings, tmp_path: Path, tracing: str, expected: list[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"tracing: {tracing}")
    loaded = load_config(file, {"MIZUCHI_VAR": str(tmp_path)})
    settings.TRACING = composition.tracing_config(loaded.config, loaded.places, Keyring.derive(["m" * 32]))

    assert [message.id for message in found()] == expected


def spooling(settings: Settings, directory: Path) -> TracingConfig:
    config: TracingConfig = settings.TRACING
    return replace(config, export=replace(collector(), spool=SpoolConfig(directory)))


def test_a_spool_that_cannot_be_written_is_a_warning(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.TRACING = spooling(settings, tmp_path / "file" / "spool")

    (message,) = found()

    assert (message.id, message.is_serious()) == ("mizuchi.W012", False)
    assert str(tmp_path / "file") in message.msg
    assert "tracing.spool" in str(message.hint)


def test_a_spool_is_made_where_it_can_be(settings: Settings, tmp_path: Path) -> None:
    settings.TRACING = spooling(settings, tmp_path / "not" / "yet" / "there")

    assert found() == []
    assert not (tmp_path / "not").exists()
