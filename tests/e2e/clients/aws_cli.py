"""AWS CLI: version 1 from PyPI, version 2 as Debian packages it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .cases import EVERY, SIZES
from .target import ENVIRONMENTS, Client, Target, run


class AwsCli:
    """The uploads of one installed version."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def copy_file(self, target: Target, key: str, file: Path) -> None:
        self._run(target, "s3", "cp", file, f"s3://{target.bucket}/{key}")

    def copy_stdin(self, target: Target, key: str, file: Path) -> None:
        with file.open("rb") as stdin:
            run(target, *self._command(target), "s3", "cp", "-", f"s3://{target.bucket}/{key}", stdin=stdin)

    def put_object(self, target: Target, key: str, file: Path) -> None:
        self._run(target, "s3api", "put-object", "--bucket", target.bucket, "--key", key, "--body", file)

    def _run(self, target: Target, *words: str | Path) -> None:
        run(target, *self._command(target), *words)

    def _command(self, target: Target) -> tuple[str | Path, ...]:
        # AWS_ENDPOINT_URL is read since 2.13 only: name the endpoint.
        return (self._program, "--endpoint-url", target.endpoint)


def clients_of(version: str, program: Path) -> Iterator[Client]:
    cli = AwsCli(program)
    needs = (program,)
    yield Client(f"aws-cli-{version}-cp", cli.copy_file, EVERY, needs)
    yield Client(f"aws-cli-{version}-cp-stdin", cli.copy_stdin, SIZES, needs)
    yield Client(f"aws-cli-{version}-put-object", cli.put_object, EVERY, needs)
    yield Client(f"aws-cli-{version}-tls-cp", cli.copy_file, ("small", "large"), needs, over_tls=True)


CLIENTS = (
    *clients_of("v1", ENVIRONMENTS / "python" / "bin" / "aws"),
    *clients_of("v2", Path("/usr/bin/aws")),
)
