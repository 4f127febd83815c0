"""The configuration of the production shape is one that the gateway takes, and Django finds nothing in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mizuchi_site.config.places import PROJECT_ROOT
from tests.deploy.deployed import DEPLOY, drain_seconds, example_environment, manifests, services, unit
from tests.deploy.deployed import STOP_SECONDS as BEYOND
from tests.servers.certificates import self_signed

CONFIGURATION = DEPLOY / "config.yaml"


@pytest.mark.parametrize("command", [["check_config"], ["check", "--deploy", "--fail-level", "WARNING"]])
def test_nothing_is_wrong_with_it(command: list[str], tmp_path: Path) -> None:
    environment = {
        **os.environ,
        **example_environment(),
        "MIZUCHI_POLICY_CA_FILE": str(self_signed(tmp_path).certificate),
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(CONFIGURATION),
        "MIZUCHI_VAR": str(tmp_path / "var"),
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not (tmp_path / "var" / "secret.key").exists(), "no node has a secret of its own"


def test_the_example_environment_has_what_is_asked_for_and_no_more() -> None:
    compose = (DEPLOY / "compose.yaml").read_text()
    asked = re.findall(r"\$\{([A-Z0-9_]+)", CONFIGURATION.read_text() + compose)
    optional = {"MIZUCHI_S3_REGION", "MIZUCHI_REDIS_URL"}
    assert set(example_environment()) | optional == set(asked)


def test_whoever_stops_a_gateway_waits_until_it_has_drained() -> None:
    seconds = drain_seconds() + BEYOND
    assert unit("mizuchi.service")["TimeoutStopSec"] == [str(seconds)]
    for node in ("gateway-1", "gateway-2"):
        assert services()[node]["stop_grace_period"] == f"{seconds}s"
    (pod,) = (each["spec"]["template"]["spec"] for each in manifests() if each["kind"] == "Deployment")
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] == seconds + before
