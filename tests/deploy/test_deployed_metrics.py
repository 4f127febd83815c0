"""Scrape configuration, alerts and dashboard: right by Prometheus' own tool, about metrics that exist."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mizuchi_site.config.places import PROJECT_ROOT
from tests.deploy.deployed import DEPLOY
from tests.servers.process import unavailable
from tracing_app.metrics.families import Family, Histogram, declared_families

PROMETHEUS = DEPLOY / "prometheus"
DASHBOARD = DEPLOY / "grafana" / "mizuchi.json"
DOCUMENT = PROJECT_ROOT / "docs" / "metrics.md"
METRIC = re.compile(r"\bmizuchi_[a-z_]+\b")


def every_family() -> dict[str, Family]:
    """All that the code declares, by the names under which Prometheus has them."""
    for room in ("authz", "mizuchi_site", "tracing_app", "uploads"):
        for file in (PROJECT_ROOT / room).rglob("*.py"):
            if re.search(r"""\botlp=f?[\"']""", file.read_text()):
                importlib.import_module(".".join(file.relative_to(PROJECT_ROOT).with_suffix("").parts))
    return {
        f"{name}_total" if family.kind == "counter" else name: family
        for name, family in declared_families().items()
        if name.startswith("mizuchi_")
    }


def series() -> dict[str, set[str]]:
    """The labels of every name that a query may use."""
    found: dict[str, set[str]] = {}
    for name, family in every_family().items():
        labels = {label.name for label in family.labels}
        if isinstance(family, Histogram):
            found |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            found[name] = labels
    return found


def promtool(*arguments: str | Path, folder: Path = PROMETHEUS) -> str:
    if not shutil.which("promtool"):
        unavailable("promtool is not installed")
    ended = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def queries() -> Iterator[str]:
    """Those of the dashboard and of the alerts."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    for rule in alerts():
        yield rule["expr"]


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("name", ["prometheus.yml", "kubernetes.yml"])
def test_the_scrape_configuration_is_right(name: str, tmp_path: Path) -> None:
    for file in (PROMETHEUS / name, PROMETHEUS / "alerts.yml"):
        shutil.copy(file, tmp_path)
    (tmp_path / "metrics-token").write_text("token")
    assert "SUCCESS" in promtool("check", "config", name, folder=tmp_path)


def test_alerts_come_when_they_should() -> None:
    promtool("check", "rules", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")
    tested = (PROMETHEUS / "alerts_test.yml").read_text()
    assert [rule["alert"] for rule in alerts() if rule["alert"] not in tested] == []


def test_queries_are_about_metrics_and_labels_that_exist() -> None:
    known = series()
    for query in queries():
        for name in METRIC.findall(query):
            assert name in known, query
        for name, matchers in re.findall(r"\b(mizuchi_[a-z_]+)\{([^}]*)\}", query):
            used = set(re.findall(r"([a-z_]+)\s*(?:=~|!=|=)", matchers)) - {"instance"}
            assert used <= known[name], query


def test_queries_of_the_dashboard_can_be_read_by_prometheus(tmp_path: Path) -> None:
    rules = [
        {
            "record": f"panel:{number}",
            "expr": query.replace("$__rate_interval", "5m").replace("$instance", ".*"),
        }
        for number, query in enumerate(queries())
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", "panels.yml", folder=tmp_path)


def test_every_metric_has_a_panel() -> None:
    shown = " ".join(queries())
    names = every_family()
    assert [name for name in names if not re.search(rf"\b{name}(?:_bucket|_sum|_count)?\b", shown)] == []


def test_every_metric_has_a_row_in_the_document() -> None:
    row = r"^\| `(mizuchi_[a-z_]+)` \| (counter|gauge|histogram) \| ([^|]*) \|"
    rows = {
        name: (kind, re.findall(r"`([a-z_]+)`", labels))
        for name, kind, labels in re.findall(row, DOCUMENT.read_text(), re.MULTILINE)
    }
    assert rows == {
        name: (family.kind, [label.name for label in family.labels])
        for name, family in every_family().items()
    }


def test_every_alert_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    assert [rule["alert"] for rule in alerts() if f"`{rule['alert']}`" not in text] == []
