"""Webhooks in the configuration: what is wrong is named, secrets never show, and the room is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mizuchi_site.composition import uploads_config
from mizuchi_site.config import ConfigError, LoadedConfig, load_config
from mizuchi_site.config.render import as_json, as_lines
from mizuchi_site.keyring import Keyring
from tests.servers.webhook_receiver import SECRET
from uploads.notifications.event import EVENT_NAMES, PUT
from uploads.notifications.signing import parse_secret

URL = "https://hooks.example.org:8443/T0/very-secret?code=also-secret"
HOOK: dict[str, Any] = {"name": "indexer", "url": URL, "secrets": ["${HOOK_SECRET}"]}


def load(folder: Path, *hooks: dict[str, Any]) -> LoadedConfig:
    file = folder / "config.yaml"
    bucket = {"name": "uploads", "storage": "local", "webhooks": list(hooks)}
    file.write_text(json.dumps({"buckets": [bucket], "deliveries": {"keep_dead_days": 2}}))
    return load_config(file, {"HOOK_SECRET": SECRET})


@pytest.mark.parametrize(
    ("wrong", "path", "advice"),
    [
        ({"url": "ftp://example.org/x"}, "url", "must be an http or https URL"),
        ({"url": "https://me:password@example.org/"}, "url", "without login"),
        ({"secrets": ["whsec_c2hvcnQ="]}, "secrets[0]", "has 5 bytes, not 24 to 64"),
        ({"secrets": ["no base64!"]}, "secrets[0]", "openssl rand -base64 32"),
        ({"secrets": []}, "secrets", "must not be empty"),
        ({"events": ["s3:ObjectRemoved:*"]}, "events[0]", "s3:ObjectCreated:*"),
        ({"format": "xml"}, "format", "cloudevents"),
        ({"name": "a b"}, "name", "letters, digits"),
        ({"retry": {"initial_seconds": 60, "max_seconds": 5}}, "retry", "waits only grow"),
        ({"retries": 3}, "retries", "did you mean"),
    ],
)
def test_a_fault_has_its_path_and_what_would_be_right(
    wrong: dict[str, Any], path: str, advice: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, HOOK | wrong)

    assert f"buckets[0].webhooks[0].{path}" in str(caught.value)
    assert advice in str(caught.value)
    assert "password" not in str(caught.value)


def test_names_are_unique_in_a_bucket(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"webhooks\[1\]\.name.*used above already"):
        load(tmp_path, HOOK, HOOK)


def test_what_is_secret_is_shown_by_nothing(tmp_path: Path) -> None:
    loaded = load(tmp_path, HOOK)

    for shown in ("\n".join(as_lines(loaded)), as_json(loaded)):
        assert "https://hooks.example.org:8443/********" in shown
        assert "very-secret" not in shown
        assert "also-secret" not in shown
        assert SECRET not in shown


def test_the_room_is_told(tmp_path: Path) -> None:
    other = HOOK | {"name": "other", "events": ["s3:ObjectCreated:Put"], "retry": {"max_age_hours": 1}}
    config = uploads_config(load(tmp_path, HOOK, other).config, Keyring.derive(["m" * 32]))

    first, second = config.buckets[0].webhooks
    assert (first.url, first.secrets) == (URL, (parse_secret(SECRET),))
    assert (first.events, second.events) == (frozenset(EVENT_NAMES), {PUT})
    assert second.retry.max_age_seconds == 3600
    assert (config.retention.delivered_seconds, config.retention.dead_seconds) == (7 * 86400, 2 * 86400)
