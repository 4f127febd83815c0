"""The files of the examples are what the programs that read them take."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mizuchi_site.config import load_config
from mizuchi_site.config.places import PROJECT_ROOT
from tests.deploy.deployed import compose_faults
from tests.servers.jaeger import Jaeger
from tests.servers.process import needs_built_server, unavailable

EXAMPLES = PROJECT_ROOT / "examples"
TEMPO = EXAMPLES / "tempo"
STACKS = [EXAMPLES / name / "compose.yaml" for name in ("jaeger", "tempo")]
by_stack = pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.parent.name)


def services(stack: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(stack.read_text())["services"]
    return found


@by_stack
def test_compose_is_what_its_specification_allows(stack: Path) -> None:
    assert compose_faults(stack) == []


@by_stack
def test_images_have_a_version_and_nobody_has_rights(stack: Path) -> None:
    for name, service in services(stack).items():
        assert re.search(r":(?:v?\d+\.\d+\.\d+|local)$", service["image"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


@by_stack
def test_nothing_is_reached_from_another_machine(stack: Path) -> None:
    ports = [port for service in services(stack).values() for port in service.get("ports", [])]
    assert "127.0.0.1:8080:8080" in ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@by_stack
def test_what_is_mounted_is_there(stack: Path) -> None:
    mounts = [mount for service in services(stack).values() for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    assert files
    assert all((stack.parent / file).is_file() for file in files)


@by_stack
def test_the_readme_names_the_ports_that_are_published(stack: Path) -> None:
    named = set(re.findall(r"http://127\.0\.0\.1:(\d+)", (stack.parent / "README.md").read_text()))
    ports = [port for service in services(stack).values() for port in service.get("ports", [])]
    assert named <= {port.split(":")[1] for port in ports}


@by_stack
def test_the_gateway_takes_its_configuration(stack: Path, tmp_path: Path) -> None:
    environment = os.environ | services(stack)["gateway"]["environment"]
    environment |= {"MIZUCHI_CONFIG": "", "MIZUCHI_VAR": str(tmp_path)}
    command = [sys.executable, "manage.py", "check_config", str(stack.parent / "config.yaml")]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert services(stack)["gateway"]["environment"]["MIZUCHI_OTLP_ENDPOINT"] in ended.stdout


def test_a_collector_takes_its_configuration(jaeger: Jaeger) -> None:
    """Jaeger is a distribution of the OpenTelemetry Collector that has these components."""
    del jaeger  # it has been built
    configuration = f"file:{TEMPO / 'collector.yaml'}"
    command = [needs_built_server("jaeger"), "validate", "--config", configuration]
    ended = subprocess.run(command, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr


def test_grafana_leads_from_spans_to_log_lines_and_back_and_from_metrics_to_traces() -> None:
    sources = yaml.safe_load((TEMPO / "grafana" / "datasources.yaml").read_text())["datasources"]
    tempo, loki, prometheus = sources
    assert tempo["jsonData"]["tracesToLogsV2"]["datasourceUid"] == loki["uid"]
    assert [field["datasourceUid"] for field in loki["jsonData"]["derivedFields"]] == [tempo["uid"]]
    assert prometheus["jsonData"]["exemplarTraceIdDestinations"][0]["datasourceUid"] == tempo["uid"]
    reached = {source["url"].split(":")[1].strip("/") for source in sources}
    assert reached <= set(services(TEMPO / "compose.yaml"))


def test_prometheus_takes_its_configuration_and_presents_the_token() -> None:
    program = shutil.which("promtool") or unavailable("promtool is not installed")
    file = TEMPO / "prometheus.yaml"
    ended = subprocess.run([program, "check", "config", file], capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr
    presented = yaml.safe_load(file.read_text())["scrape_configs"][0]["authorization"]["credentials"]
    token = load_config(TEMPO / "config.yaml", {}).config.metrics.token
    assert token is not None
    assert token.get_secret_value() == presented
