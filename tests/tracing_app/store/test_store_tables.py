"""The store's database makes itself, and never stops a start."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import django, logging
django.setup(set_prefix=False)
logging.basicConfig()
from tracing_app.store.tables import ensure_tables
print(ensure_tables())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": "",
        "MIZUCHI_VAR": str(tmp_path / "var"),
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_start_together_make_one(environment: dict[str, str], tmp_path: Path) -> None:
    for process in [start(environment) for _ in range(3)]:
        out, err = process.communicate(timeout=60)
        assert out.strip() == "True", err

    with sqlite3.connect(tmp_path / "var" / "traces.sqlite3") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "trace_store_storedtrace" in tables
    assert "auth_user" not in tables


def test_a_place_that_cannot_be_written_is_told(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret.key").write_text("0" * 64)
    (tmp_path / "var" / "traces.sqlite3").mkdir()

    out, err = start(environment).communicate(timeout=60)

    assert out.strip() == "False"
    assert "no trace is kept on this machine" in err
