"""Command line clients: s3cmd, rclone and curl."""

from __future__ import annotations

import shutil
from pathlib import Path

from .boto import presigned_url
from .cases import EVERY, KEYS, SIZES
from .target import ENVIRONMENTS, Client, Target, run

S3CMD = ENVIRONMENTS / "python" / "bin" / "s3cmd"
RCLONE = Path(shutil.which("rclone") or "/usr/bin/rclone")
CURL = Path(shutil.which("curl") or "/usr/bin/curl")


def s3cmd_put(target: Target, key: str, file: Path) -> None:
    run(
        target,
        S3CMD,
        f"--config={_empty_file(target)}",
        f"--access_key={target.access_key_id}",
        f"--secret_key={target.secret_access_key}",
        f"--region={target.region}",
        f"--host={target.netloc}",
        f"--host-bucket={target.netloc}",
        "--no-ssl",
        "put",
        file,
        f"s3://{target.bucket}/{key}",
    )


def _empty_file(target: Target) -> Path:
    path = target.home / "empty.s3cfg"
    path.touch()
    return path


def rclone_copy(target: Target, key: str, file: Path) -> None:
    _rclone(target, "copyto", file, f"gateway:{target.bucket}/{key}")


def rclone_copy_in_parts(target: Target, key: str, file: Path) -> None:
    _rclone(target, "copyto", "--s3-upload-cutoff", "5M", file, f"gateway:{target.bucket}/{key}")


def rclone_stdin(target: Target, key: str, file: Path) -> None:
    _rclone(target, "rcat", f"gateway:{target.bucket}/{key}", content=file)


def _rclone(target: Target, *words: str | Path, content: Path | None = None) -> None:
    """One try only: rclone's own retries would hide a fault."""
    remote = {
        "RCLONE_CONFIG_GATEWAY_TYPE": "s3",
        "RCLONE_CONFIG_GATEWAY_PROVIDER": "Other",
        "RCLONE_CONFIG_GATEWAY_ENDPOINT": target.endpoint,
        "RCLONE_CONFIG_GATEWAY_ACCESS_KEY_ID": target.access_key_id,
        "RCLONE_CONFIG_GATEWAY_SECRET_ACCESS_KEY": target.secret_access_key,
    }
    once = ("--retries", "1", "--low-level-retries", "1")
    if content is None:
        run(target, RCLONE, *once, *words, variables=remote)
        return
    with content.open("rb") as stdin:
        run(target, RCLONE, *once, *words, stdin=stdin, variables=remote)


def curl_signed(target: Target, key: str, file: Path) -> None:
    _curl(target, *_signature(target), "--upload-file", file, target.url_of(key))


def curl_signed_stdin(target: Target, key: str, file: Path) -> None:
    """Of unknown length: a body in chunked transfer encoding."""
    with file.open("rb") as stdin:
        run(target, *CURL_QUIET, *_signature(target), "--upload-file", "-", target.url_of(key), stdin=stdin)


def curl_presigned(target: Target, key: str, file: Path) -> None:
    _curl(target, "--upload-file", file, presigned_url(target, key))


CURL_QUIET = (CURL, "--silent", "--show-error", "--fail-with-body")


def _curl(target: Target, *words: str | Path) -> None:
    run(target, *CURL_QUIET, *words)


def _signature(target: Target) -> tuple[str, ...]:
    credentials = f"{target.access_key_id}:{target.secret_access_key}"
    return ("--aws-sigv4", f"aws:amz:{target.region}:s3", "--user", credentials)


CLIENTS = (
    Client("s3cmd", s3cmd_put, EVERY, (S3CMD,)),
    Client("rclone-copy", rclone_copy, EVERY, (RCLONE,)),
    Client("rclone-copy-in-parts", rclone_copy_in_parts, ("large",), (RCLONE,)),
    Client("rclone-rcat", rclone_stdin, SIZES, (RCLONE,)),
    Client("curl-sigv4", curl_signed, EVERY, (CURL,)),
    Client("curl-sigv4-stdin", curl_signed_stdin, ("small", "large"), (CURL,)),
    Client("curl-presigned", curl_presigned, ("small", "large", *KEYS), (CURL,)),
)
