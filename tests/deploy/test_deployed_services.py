"""compose.yaml and the systemd units: valid, pinned, without rights that nobody needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.deployed import DEPLOY, compose_faults, services, unit
from tests.servers.process import unavailable

GATEWAYS = ("gateway-1", "gateway-2", "migrate")


def test_compose_is_what_its_specification_allows() -> None:
    assert compose_faults(DEPLOY / "compose.yaml") == []


def test_the_shape_is_complete() -> None:
    expected = {"nginx", "gateway-1", "gateway-2", "postgres", "seaweedfs", "opa", "openfga", "jaeger"}
    assert expected <= set(services())
    for service in services().values():
        for named in service.get("depends_on", {}):
            assert named in services()


def test_every_image_has_a_version() -> None:
    images = [service["image"] for service in services().values()]
    assert [image for image in images if not re.search(r":(?:v?\d+\.\d+|local$)", image)] == []


def test_nobody_gains_rights_and_gateways_write_to_their_own_folder_only() -> None:
    for name, service in services().items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged"), name
    for name in GATEWAYS:
        assert services()[name]["read_only"], name
        assert services()[name]["cap_drop"] == ["ALL"], name


def test_only_nginx_is_reached_from_outside() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert set(published) == {"nginx", "jaeger", "prometheus"}
    assert all(port.startswith("127.0.0.1:") for name in ("jaeger", "prometheus") for port in published[name])


def test_systemd_takes_the_units_and_finds_them_confined(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze") or unavailable("systemd-analyze is not installed")
    for file in (DEPLOY / "systemd").iterdir():
        text = file.read_text().replace("/opt/mizuchi/.venv/bin/python", sys.executable)
        (tmp_path / file.name).write_text(text)
    units = sorted(tmp_path.iterdir())
    verified = subprocess.run([program, "verify", "--man=no", *units], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    command = [program, "security", "--offline=true", "--threshold=20", tmp_path / "mizuchi.service"]
    assert subprocess.run(command, capture_output=True).returncode == 0, "exposure above 2.0 of 10"


@pytest.mark.parametrize("name", ["mizuchi.service", "mizuchi-prune.service"])
def test_a_service_of_systemd_writes_to_its_state_only(name: str) -> None:
    settings = unit(name)
    assert settings["ProtectSystem"] == ["strict"]
    assert settings["NoNewPrivileges"] == ["yes"]
    assert settings["StateDirectory"] == ["mizuchi"]
    assert "MIZUCHI_VAR=/var/lib/mizuchi" in settings["Environment"][0]
    assert "ReadWritePaths" not in settings


def test_a_gateway_that_dies_is_started_again() -> None:
    assert unit("mizuchi.service")["Restart"] == ["always"]
    for name in ("gateway-1", "gateway-2"):
        assert services()[name]["restart"] == "unless-stopped"
