"""The image: small, pinned, without root. The rules are hadolint's, as far as they matter here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mizuchi_site.config.places import PROJECT_ROOT
from tests.deploy.deployed import DEPLOY


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile and its arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines) if word]


def arguments(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def test_its_base_is_a_small_one_of_a_version() -> None:
    (version,) = arguments("ARG")
    assert re.fullmatch(r"PYTHON=3\.\d+\.\d+", version)
    assert arguments("FROM") == ["python:${PYTHON}-bookworm AS build", "python:${PYTHON}-slim-bookworm"]


def test_it_never_runs_as_root_and_stops_as_the_gateway_does() -> None:
    words = [word for word, _ in instructions()]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", arguments("USER")[-1])
    last_root = max(index for index, word in enumerate(words) if word in ("RUN", "COPY"))
    assert words.index("USER") > last_root
    assert arguments("STOPSIGNAL") == ["SIGTERM"]
    assert arguments("ENTRYPOINT") == ['["python", "manage.py"]']


def test_what_gets_into_it_has_known_hashes() -> None:
    words = {word for word, _ in instructions()}
    assert "ADD" not in words
    installed = [rest for rest in arguments("RUN") if "pip install" in rest]
    assert len(installed) == 1
    assert "--require-hashes" in installed[0]
    assert "--only-binary=:all:" in installed[0]
    assert not any(
        tool in rest for rest in arguments("RUN") for tool in ("apt-get", "curl ", "wget ", "sudo ")
    )


def test_it_is_made_of_what_the_gateway_is_made_of() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert let_in == {"manage.py", "requirements.txt", "authz", "mizuchi_site", "tracing_app", "uploads"}
    assert all((PROJECT_ROOT / name).exists() for name in let_in)


@pytest.mark.parametrize(("path", "code"), [("/livez", 0), ("/gone", 1)])
def test_its_health_check_is_a_program_that_asks(path: str, code: int, tmp_path: Path) -> None:
    """The command of HEALTHCHECK, run against a server with a file livez."""
    (tmp_path / "livez").write_text("ok")
    (checked,) = re.findall(r"CMD \[\"python\", \"-c\", \"(.*)\"\]", arguments("HEALTHCHECK")[0])
    serve = (
        "import http.server, threading\n"
        f"handler = lambda *a: http.server.SimpleHTTPRequestHandler(*a, directory={str(tmp_path)!r})\n"
        "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)\n"
        "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
        f"exec({checked!r}.replace('8080', str(server.server_port)).replace('/livez', {path!r}))"
    )
    assert subprocess.run([sys.executable, "-c", serve], capture_output=True).returncode == code
