"""What the project promises of itself: its version, its requirements, and an audit that does not pretend."""

from __future__ import annotations

import re
import runpy
import tomllib
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from mizuchi_site.config.places import PROJECT_ROOT
from tracing_app.version import VERSION

PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
CHANGELOG = (PROJECT_ROOT / "CHANGELOG.md").read_text()
PINNED = sorted(PROJECT_ROOT.glob("requirements*.txt"))
AUDIT = runpy.run_path(str(PROJECT_ROOT / ".ci" / "audit.py"))
FIRST = "0.1.0"


def releases() -> list[tuple[str, str]]:
    """Version and date of each heading ``## X.Y.Z (YYYY-MM-DD)``, the newest first."""
    return re.findall(r"^## (\d+\.\d+\.\d+) \((\d{4}-\d{2}-\d{2})\)$", CHANGELOG, re.MULTILINE)


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1:] == [f"{version} ({day})" for version, day in releases()]
    assert sorted(releases(), key=lambda release: date.fromisoformat(release[1]), reverse=True) == releases()


def test_the_version_is_the_newest_of_the_changelog() -> None:
    """Before the first release it is the one to come."""
    newest = [version for version, _ in releases()] or [FIRST]
    assert PROJECT["version"] == VERSION == newest[0]


def test_the_licence_is_the_one_that_is_declared() -> None:
    assert PROJECT["license"] == "MIT"
    assert (PROJECT_ROOT / "LICENSE").read_text().startswith("MIT License\n")
    assert all((PROJECT_ROOT / file).is_file() for file in (*PROJECT["license-files"], PROJECT["readme"]))


def requirements(file: Path) -> list[str]:
    """Each requirement with its hashes, continued lines joined."""
    return file.read_text().replace("\\\n", " ").strip().splitlines()


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_every_requirement_is_pinned_and_has_hashes(file: Path) -> None:
    loose = [
        line
        for line in requirements(file)
        if not re.fullmatch(
            r"[a-z0-9._-]+(\[[a-z,-]+\])?==[\w.]+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+", line
        )
    ]
    assert loose == []


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.stem)
def test_every_file_of_pins_is_made_of_one_that_says_why(file: Path) -> None:
    text = file.with_suffix(".in").read_text()
    wanted = re.findall(r"^([a-z0-9][a-z0-9._-]*)", text.lower(), re.MULTILINE)
    pinned = {re.split(r"[=\[]", line)[0] for line in requirements(file)}
    assert wanted
    assert set(wanted) <= pinned


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_what_the_tests_run_with_is_what_is_pinned(name: str) -> None:
    pinned = [Requirement(line.split(" --hash")[0]) for line in requirements(PROJECT_ROOT / name)]
    here = [each for each in pinned if each.marker is None or each.marker.evaluate()]
    assert [str(each) for each in here if not each.specifier.contains(metadata.version(each.name))] == []


def package(name: str, **more: object) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [], **more}


VULNERABLE = package("b", vulns=[{"id": "PYSEC-1", "fix_versions": ["1.1"]}])
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "code", "says"),
    [
        ([package("a"), package("a")], 0, "1 packages, 0 known vulnerabilities."),
        ([package("a"), VULNERABLE], 1, "b 1.0: PYSEC-1, fixed in 1.1"),
        ([package("a"), SKIPPED], 2, "1 packages were not looked up: not found"),
        ([VULNERABLE, SKIPPED], 1, "1 packages were not looked up: not found"),
        ([], 2, "0 packages were not looked up: none is named"),
    ],
    ids=["clean", "vulnerable", "not looked up", "both", "nothing"],
)
def test_an_audit_says_what_it_knows_and_no_more(
    packages: list[dict[str, Any]], code: int, says: str
) -> None:
    lines, ended = AUDIT["judged"](packages)
    assert ended == code
    assert says in lines
    assert (AUDIT["WHERE"] in lines) is ("not looked up" in says)
