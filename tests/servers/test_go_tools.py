"""Programs built from a module with a lock file: once, again when it changes, and with a reason when not."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers import go_tools
from tests.servers.go_tools import BuildFailed, built
from tests.servers.process import needs_built_server

MODULE = "module mizuchi.test/hello\n\ngo 1.25\n\ntool mizuchi.test/hello\n"
HELLO = 'package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("hello") }\n'


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that needs nothing but Go; it is the one that can be built."""
    folder = tmp_path / "go" / "hello"
    folder.mkdir(parents=True)
    for name, text in (("go.mod", MODULE), ("go.sum", ""), ("main.go", HELLO)):
        (folder / name).write_text(text)
    monkeypatch.setattr(go_tools, "MODULES", tmp_path / "go")
    monkeypatch.setattr(go_tools, "CACHE", tmp_path / "cache")
    return folder


def says(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def test_a_program_is_built_and_kept(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = built("hello")
    monkeypatch.setenv("PATH", "/nowhere")

    assert built("hello") == program
    assert says(program) == "hello"


@pytest.mark.parametrize(
    ("file", "text"),
    [("go.mod", MODULE.replace("1.25", "1.26")), ("without/some/some.go", "package some\n")],
    ids=["versions", "what is left out"],
)
def test_a_change_of_what_it_is_made_of_replaces_it(module: Path, file: str, text: str) -> None:
    before = built("hello")
    (module / file).parent.mkdir(parents=True, exist_ok=True)
    (module / file).write_text(text)

    after = built("hello")

    assert after != before
    assert says(after) == "hello"
    assert not before.exists()


def test_a_change_of_its_source_is_in_it(module: Path) -> None:
    built("hello")
    (module / "main.go").write_text(HELLO.replace('"hello"', '"changed"'))

    assert says(built("hello")) == "changed"


def test_many_at_once_build_it_once(module: Path) -> None:
    def inode(_: int) -> int:
        return built("hello").stat().st_ino

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(inode, range(4)))) == 1


def test_a_failed_build_says_why_and_leaves_nothing(module: Path, tmp_path: Path) -> None:
    (module / "main.go").write_text("package main\n\nfunc main() { undefinedName() }\n")

    with pytest.raises(BuildFailed, match="undefinedName"):
        built("hello")

    assert list((tmp_path / "cache").glob("hello*")) == []


def test_without_go_it_says_what_to_install(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BuildFailed, match="install Go"):
        built("hello")


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)], ids=["here", "ci"]
)
def test_a_server_that_cannot_be_built_skips_but_fails_in_ci(
    module: Path, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="install Go"):
        needs_built_server("hello")
