"""``manage.py bench`` on real servers, as small as it gets."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mizuchi_site.bench import calls, memory, overhead


def test_an_overhead_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overhead, "_QUICK_ROUNDS", 2)
    monkeypatch.setattr(overhead, "LOADS", [overhead.Load("PUT 1 KiB", 1024, 5)])
    out, page, picture = StringIO(), tmp_path / "out.md", tmp_path / "out.svg"
    call_command("bench", "overhead", "--quick", "--json", markdown=page, plot=picture, stdout=out)
    (report,) = json.loads(out.getvalue())
    rows = report["tables"][0]["rows"]
    assert list(rows) == ["off", "ratio 0.01", "always"]
    assert all(row["CPU"]["spread"]["median"] > 50 for row in rows.values())
    assert 0.1 < rows["always"]["CPU to off"]["spread"]["median"] < 10
    assert report["machine"]["cores"]
    assert "| always |" in page.read_text()
    assert picture.read_bytes().startswith(b"<svg")


@pytest.mark.parametrize("name", ["spans", "sampling", "sigv4"])
def test_calls_are_measured(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_TURN_SECONDS", 0.001)
    out = StringIO()
    call_command("bench", name, "--quick", "--json", stdout=out)
    (report,) = json.loads(out.getvalue())
    rows = {title: row for table in report["tables"] for title, row in table["rows"].items()}
    assert len(rows) >= 4
    assert all(0 < row["CPU"]["spread"]["median"] < 10_000 for row in rows.values())


def test_an_unknown_benchmark_is_named() -> None:
    with pytest.raises(CommandError, match="nonsense"):
        call_command("bench", "nonsense")


def test_one_that_fails_leaves_the_others_their_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_TURN_SECONDS", 0.001)
    monkeypatch.setattr(memory, "_QUICK", replace(memory._QUICK, size=1024**5))
    out = StringIO()
    with pytest.raises(CommandError, match=r"memory: .* do not fit into .*--folder"):
        call_command("bench", "memory", "sampling", "--quick", "--json", stdout=out)
    assert [report["benchmark"] for report in json.loads(out.getvalue())] == ["sampling"]
