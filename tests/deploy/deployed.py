"""The files of deploy/, parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from mizuchi_site.config.places import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
COMPOSE_SCHEMA = Path(__file__).parent / "vendor" / "compose-spec.json"
# What a stop may take beyond server.drain_seconds (docs/server.md).
STOP_SECONDS = 7


def drain_seconds() -> int:
    seconds: int = yaml.safe_load((DEPLOY / "config.yaml").read_text())["server"]["drain_seconds"]
    return seconds


def example_environment() -> dict[str, str]:
    """The variables of environment.example; those that are left to the operator are filled in."""
    lines = re.findall(r"^([A-Z0-9_]+)=(.*)$", (DEPLOY / "environment.example").read_text(), re.MULTILINE)
    filled = {
        "MIZUCHI_SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "MIZUCHI_METRICS_TOKEN": "0123456789abcdef0123456789abcdef",
        "MIZUCHI_OPENFGA_STORE_ID": "01HVMMBCMGZNT3SED4Z17ECXCA",
    }
    return {name: value or filled.get(name, "of-the-operator") for name, value in lines}


def services() -> dict[str, dict[str, Any]]:
    """Those of compose.yaml, aliases and merges resolved."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return found


def compose_faults(file: Path) -> list[str]:
    """Where a compose file is not what the Compose specification allows."""
    validator = Draft202012Validator(json.loads(COMPOSE_SCHEMA.read_text()))
    found = validator.iter_errors(yaml.safe_load(file.read_text()))
    return [f"{fault.json_path}: {fault.message}" for fault in found]


def manifests() -> Iterator[Mapping[str, Any]]:
    """Every Kubernetes object, in the order of the files."""
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text())


def unit(name: str) -> dict[str, list[str]]:
    """The settings of a systemd unit by name, each with all its values."""
    settings: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            settings.setdefault(key, []).append(value)
    return settings
