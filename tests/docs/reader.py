"""A reader's machine: the project's folder after ``make run``, a shell, and the servers that pages speak of.

Pages name servers where they are by default. Tests have them elsewhere, so addresses are replaced on their
way into the shell and back on their way out: a page is run as it is written, and what it shows is compared
as it is shown.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.docs.pages import ALL, ROOT, Block, blocks
from tests.e2e.gateway import is_ready
from tests.servers.process import free_ports, running_server

PAGE_SECONDS = 120
READY_SECONDS = 180
GATEWAY = 8080
# Programs that a page starts itself; servers that are there already are named by the test.
STARTED_BY_PAGES = (8181, 9900)

# Pages wait for a batch of traces; here batches go at once.
WAITS = ("sleep 6\n", "sleep 1\n")

_END = "--- the end of block {} ---"


@dataclass
class Reader:
    """``ports`` maps ports of pages to those of the tests; ``environment`` is what the shell begins with."""

    folder: Path
    ports: Mapping[int, int]
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, page: Path) -> list[tuple[Block, str]]:
        """Every block of the page that is marked so, in one shell, until one fails. Raises AssertionError."""
        runnable = [block for block in blocks(page) if block.mark == "run"]
        script = "\n".join(
            ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
            + [f"{self._here(_as_shell(block))}\necho '{_END.format(block.line)}'" for block in runnable]
        )
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PAGE_SECONDS,
            check=False,
        )
        rest, printed = self._there(ended.stdout), []
        for block in runnable:
            output, end, rest = rest.partition(_END.format(block.line) + "\n")
            assert end, f"{block} failed ({ended.returncode}):\n{block.text}\n{output}"
            printed.append((block, output))
        return printed

    def _here(self, text: str) -> str:
        return _replaced(text.replace(*WAITS), self.ports)

    def _there(self, text: str) -> str:
        return _replaced(text, {here: there for there, here in self.ports.items()})


def _replaced(text: str, ports: Mapping[int, int]) -> str:
    """Ports after the loopback address, and those that are an argument of their own."""
    return re.sub(
        r"(127\.0\.0\.1:|--port |http\.server )(\d+)\b",
        lambda found: f"{found[1]}{ports.get(int(found[2]), int(found[2]))}",
        text,
    )


def _as_shell(block: Block) -> str:
    if block.language == "python":
        return f".venv/bin/python - <<'END_OF_PYTHON'\n{block.text}END_OF_PYTHON"
    return block.text


@contextmanager
def running_reader(
    folder: Path, servers: Mapping[int, int], environment: Mapping[str, str], programs: Sequence[Path]
) -> Iterator[Reader]:
    """The gateway as ``make run`` starts it, with what pages marked ``serve`` add to its configuration.

    ``servers`` are ports of pages with those of servers that are there; ``programs`` are found by name.
    """
    here = (GATEWAY, *STARTED_BY_PAGES)
    ports = {**servers, **dict(zip(here, free_ports(len(here)), strict=True))}
    home = folder / "project"
    _lay_out(home, programs)
    config = home / "config.tests.yaml"
    config.write_text(_replaced(json.dumps(configuration(ports[GATEWAY])), ports))
    environment = {
        "DJANGO_SETTINGS_MODULE": "mizuchi_site.settings",
        "MIZUCHI_CONFIG": str(config),
        "MIZUCHI_VAR": str(home / "var"),
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "HOME": str(home),
        **environment,
    }
    manage = [sys.executable, "manage.py"]
    made = {**os.environ, **environment}
    subprocess.run([*manage, "setup_dev"], cwd=home, env=made, check=True, stdout=subprocess.DEVNULL)
    with running_server(
        [sys.executable, ROOT / "manage.py", "serve"],
        log=home / "gateway.log",
        is_ready=lambda: is_ready(ports[GATEWAY]),
        ready_seconds=READY_SECONDS,
        environment=environment,
    ):
        yield Reader(home, ports, environment)


def _lay_out(home: Path, programs: Sequence[Path]) -> None:
    """The project's folder, with a ``var`` of its own."""
    (home / "var").mkdir(parents=True)
    for entry in ROOT.iterdir():
        if entry.name not in ("var", ".git", ".cache"):
            (home / entry.name).symlink_to(entry)
    (home / "bin").mkdir()
    for program in programs:
        (home / "bin" / program.name.partition("-")[0]).symlink_to(program)


def configuration(port: int) -> dict[str, Any]:
    """The defaults, then what pages add: mappings are put together, lists one after the other."""
    whole: dict[str, Any] = {
        "server": {"bind": f"127.0.0.1:{port}", "workers": 1},
        "tracing": {"batch": {"scheduled_delay_millis": 200}},
        "storages": {"local": {"backend": "filesystem", "location": "var/objects"}},
        "buckets": [{"name": "uploads", "storage": "local", "browser_upload": True}],
    }
    for block in ALL:
        if block.mark == "serve":
            _add(whole, yaml.safe_load(block.text))
    return whole


def _add(whole: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, Mapping) and isinstance(whole.get(key), dict):
            _add(whole[key], value)
        elif isinstance(value, list) and isinstance(whole.get(key), list):
            whole[key] += value
        else:
            whole[key] = value
