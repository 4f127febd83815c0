"""``manage.py check_config``, and what every command says about a configuration that cannot be used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mizuchi_site.config.places import PROJECT_ROOT

SECRET = "correct-horse-battery-staple-0123456789"
GOOD = f"security: {{secret_keys: [{SECRET}]}}\nserver: {{workers: 3}}\n"
BAD = f"security: {{secret_keys: [{SECRET}, x]}}\nserver: {{wokers: 3}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    return tmp_path


def manage(folder: Path, *words: str, config: str = "") -> subprocess.CompletedProcess[str]:
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_VAR": str(folder / "var"),
        "MIZUCHI_CONFIG": str(folder / config) if config else "",
    }
    command = [sys.executable, str(PROJECT_ROOT / "manage.py"), *words]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_prints_every_effective_value(folder: Path) -> None:
    ended = manage(folder, "check_config", config="good.yaml")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "server.workers = 3  (file)\n" in ended.stdout
    assert "server.threads = 64  (default)\n" in ended.stdout
    assert SECRET not in ended.stdout


def test_prints_json(folder: Path) -> None:
    ended = manage(folder, "check_config", "--json", config="good.yaml")
    assert json.loads(ended.stdout)["values"]["server.workers"] == {"value": 3, "source": "file"}
    assert SECRET not in ended.stdout


@pytest.mark.parametrize("words", [("check_config", "bad.yaml"), ("check_config", "bad.yaml", "--json")])
def test_tells_every_fault_of_a_file_that_is_not_in_use(folder: Path, words: tuple[str, ...]) -> None:
    ended = manage(folder, *words, config="good.yaml")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == [
        f"The configuration {folder / 'bad.yaml'} has 2 faults:",
        "  server.wokers: is not a known key; did you mean workers?",
        "  security.secret_keys[1]: must have at least 32 characters, 10 of them different; "
        "make one with: openssl rand -hex 32",
    ]


@pytest.mark.parametrize("command", ["check_config", "check", "migrate", "serve", "setup_dev"])
def test_no_command_runs_with_a_broken_configuration(folder: Path, command: str) -> None:
    ended = manage(folder, command, config="bad.yaml")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"The configuration {folder / 'bad.yaml'} has 2 faults:\n")
    assert "Traceback" not in ended.stderr
    assert SECRET not in ended.stderr


def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    ended = manage(folder, "check_config", config="nowhere.yaml")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[1:] == ["  cannot be read: No such file or directory"]
