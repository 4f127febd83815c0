"""Where a client uploads to, what a client is, and how its process is run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from tests.servers.process import unavailable

PROJECT = Path(__file__).resolve().parents[3]
ENVIRONMENTS = Path(os.environ.get("MIZUCHI_CLIENTS", PROJECT / ".cache" / "clients"))
SETUP = "tests/e2e/clients/setup.sh"
CLIENT_TIMEOUT_SECONDS = 60


class ClientFailed(Exception):
    """The client ended with an error. The message holds its command line and all it printed."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bucket at an S3 endpoint, with the keys to upload there. ``home`` is the empty home directory the
    clients run in, so that no configuration of the user reaches them. ``ca_file`` signs the endpoint's
    certificate when it is an https one."""

    endpoint: str
    access_key_id: str
    secret_access_key: str
    bucket: str
    home: Path
    region: str = "us-east-1"
    ca_file: Path | None = None

    @property
    def netloc(self) -> str:
        return self.endpoint.partition("://")[2]

    def url_of(self, key: str) -> str:
        """The object's path-style URL, encoded as S3 encodes keys."""
        return f"{self.endpoint}/{self.bucket}/{quote(key, safe='/~')}"

    def environment(self) -> dict[str, str]:
        """What a user exports before calling a client. One attempt only: a retry would hide a fault."""
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "NO_PROXY": "*",
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        if self.ca_file:
            variables |= {"AWS_CA_BUNDLE": str(self.ca_file), "NODE_EXTRA_CA_CERTS": str(self.ca_file)}
        return variables


Upload = Callable[[Target, str, Path], None]


@dataclass(frozen=True, slots=True)
class Client:
    """One way of one client to upload a file: ``upload(target, key, file)`` raises when the client fails.

    ``needs`` are the programs it runs, ``cases`` the names of the cases (see ``cases.py``) that say
    something about it, ``over_tls`` whether it talks to the https endpoint."""

    name: str
    upload: Upload
    cases: Sequence[str]
    needs: Sequence[Path] = ()
    over_tls: bool = False

    def missing(self) -> list[str]:
        return [str(program) for program in self.needs if not program.exists()]

    def require(self) -> None:
        """Skips the test of a client that is not here; where CI is true, it fails."""
        if missing := self.missing():
            unavailable(f"{self.name}: no {', '.join(missing)}; run {SETUP} and install .ci/apt-packages.txt")


def run(
    target: Target,
    *command: str | Path,
    stdin: BinaryIO | None = None,
    variables: dict[str, str] | None = None,
) -> None:
    """Runs a client to its end. Raises ClientFailed with its output when it fails or takes too long."""
    words = [str(word) for word in command]
    try:
        ended = subprocess.run(
            words,
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=target.environment() | (variables or {}),
            timeout=CLIENT_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise ClientFailed(_account(words, "took too long", expired.output)) from expired
    if ended.returncode != 0:
        raise ClientFailed(_account(words, f"exit {ended.returncode}", ended.stdout))


def _account(words: list[str], outcome: str, output: bytes | None) -> str:
    return f"{' '.join(words)}\n{outcome}\n{(output or b'').decode(errors='replace')}"
