"""Each benchmark on real servers, as small as it gets: what it tells is consistent in itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from mizuchi_site.bench import calls, export, instructions, memory, nginx, scale, scale_nodes, upload
from mizuchi_site.bench.sizes import MEBIBYTE

pytestmark = pytest.mark.slow

Rows = Mapping[str, Mapping[str, float]]


def measured(name: str) -> tuple[dict[str, Rows], list[str]]:
    """The medians of a quick run by title, row and column; and the notes."""
    out = StringIO()
    call_command("bench", name, "--quick", "--json", stdout=out)
    (report,) = json.loads(out.getvalue())
    tables: list[dict[str, Any]] = report["tables"]
    rows = {
        table["title"]: {
            row: {column: figure["spread"]["median"] for column, figure in figures.items()}
            for row, figures in table["rows"].items()
        }
        for table in tables
    }
    return rows, [table["note"] for table in tables]


def test_a_remembered_decision_costs_less_than_one_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "_TURN_SECONDS", 0.005)
    (rows,) = measured("policy")[0].values()
    for engine in ("OPA", "OpenFGA with two groups", "both"):
        remembered, asked = rows[f"{engine}, remembered"], rows[f"{engine}, asked"]
        assert 0 < remembered["CPU"] < asked["CPU"] < asked["latency"]


def test_every_trace_of_an_outage_is_accounted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    extent = export.Extent(1, [export.Paced(50, 0.1, 0.3)], 20, 1, 0.5, 200.0)
    monkeypatch.setattr(export, "_QUICK", extent)
    latencies, bursts, outages = measured("export")[0].values()
    assert latencies["50 a second, delay 0.1 s"]["p50"] > 0
    assert bursts["batches of 512 spans"]["on the wire"] < bursts[export._UNCOMPRESSED]["on the wire"]
    for row in outages.values():
        assert (
            row["offered"] == 100 == sum(row[name] for name in ("exported", "queued", "spooled", "dropped"))
        )
    assert outages["there"]["dropped"] == outages["gone"]["exported"] == outages["gone"]["dropped"] == 0
    assert outages["gone, without a spool"]["spooled"] == 0


def test_memory_is_told_by_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    extent = memory.Extent(1, [4], [64], MEBIBYTE, 2, (20, 40))
    monkeypatch.setattr(memory, "_QUICK", extent)
    monkeypatch.setattr(memory, "_STORAGES", ("files",))
    monkeypatch.setattr(memory, "_WARM_REQUESTS", 16)
    in_flight, queued, growth, big = measured("memory")[0].values()
    assert list(in_flight) == ["no upload", "4 in flight"]
    assert list(queued) == ["all exported", "64 spans queued"]
    held = [row["resident"] for row in (*in_flight.values(), *queued.values())]
    assert all(20 < mebibytes < 2000 for mebibytes in (*held, growth["files"]["after 40"]))
    assert big["files"]["peak"] > big["files"]["growth"]


def test_throughput_has_nginx_beside_it_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "_QUICK", upload.Extent(1, {MEBIBYTE: 1}, {2: 4}))
    tables, notes = measured("upload")
    bodies, small = tables.values()
    assert len(bodies) == (10 if nginx.nginx_program() else 8)
    assert ("throughput to nginx" in bodies["files, plain"]) is (nginx.nginx_program() is not None)
    assert ("not installed" in notes[0]) is (nginx.nginx_program() is None)
    assert all(row["throughput"] > 0.1 and row["CPU of a GiB"] > 0.01 for row in bodies.values())
    assert list(small) == ["files, 2 at once", "S3 sink, 2 at once"]


def test_scale_has_a_row_for_each_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "_QUICK", scale.Extent(1, 16, (2,), (3,), (1000,), (4,)))
    tables, notes = measured("scale")
    workers, in_flight, records, nodes = tables.values()
    assert [*workers, *in_flight, *records] == ["2 workers", "3 in flight", "1,000 records"]
    for rows in (workers, in_flight, records):
        (row,) = rows.values()
        assert row["p50"] <= row["p99"]
        assert row["requests a second"] > 1
    if missing := scale_nodes.missing_programs():
        assert not nodes
        assert all(name in notes[-1] for name in missing)
        return
    direct, proxied, spread = nodes.values()
    assert all(row["CPU of nodes"] > 1 and row["p50"] <= row["p99"] for row in nodes.values())
    assert "CPU of nginx" not in direct
    assert proxied["CPU of nginx"] > 1 < spread["CPU of nginx"]


def test_instructions_are_counted_where_valgrind_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "_QUICK_REQUESTS", 10)
    monkeypatch.setattr(instructions, "_WARM_UP_REQUESTS", 8)
    monkeypatch.setattr(instructions, "_EXPORT_SECONDS", 0.1)
    monkeypatch.setattr(instructions, "_sides", lambda is_quick: [("files", "off")])
    tables, notes = measured("instructions")
    (rows,) = tables.values()
    if instructions.valgrind_program() is None:
        assert not rows
        assert "not installed" in notes[0]
        return
    assert 1_000 < rows["files, tracing off"]["instructions"] < 20_000
