"""Clients that are libraries: each is run by a small script of ours beside its own packages."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from .cases import EVERY, SIZES
from .target import ENVIRONMENTS, Client, Target, Upload, run

HERE = Path(__file__).parent
NODE = Path(shutil.which("node") or "node")
NODE_SCRIPTS = ENVIRONMENTS / "node"
PYTHON = ENVIRONMENTS / "python" / "bin" / "python"
S3FS_PYTHON = ENVIRONMENTS / "s3fs" / "bin" / "python"
MINIO_GO = ENVIRONMENTS / "go" / "upload"


def script(*command: str | Path) -> Upload:
    """Runs ``command`` with bucket, key and file behind it."""

    def upload(target: Target, key: str, file: Path) -> None:
        run(target, *command, target.bucket, key, file)

    return upload


def aws_sdk_js(mode: str, cases: Sequence[str], *, over_tls: bool = False) -> Client:
    path = NODE_SCRIPTS / "aws-sdk.mjs"
    name = f"aws-sdk-js-{'tls-' if over_tls else ''}{mode}"
    return Client(name, script(NODE, path, mode), cases, (NODE, path), over_tls=over_tls)


def minio_js(mode: str, cases: Sequence[str]) -> Client:
    path = NODE_SCRIPTS / "minio.mjs"
    return Client(f"minio-js-{mode}", script(NODE, path, mode), cases, (NODE, path))


def minio_py(mode: str, cases: Sequence[str]) -> Client:
    upload = script(PYTHON, HERE / "python" / "minio_upload.py", mode)
    return Client(f"minio-py-{mode}", upload, cases, (PYTHON,))


def s3fs(mode: str, cases: Sequence[str]) -> Client:
    upload = script(S3FS_PYTHON, HERE / "s3fs" / "s3fs_upload.py", mode)
    return Client(f"s3fs-{mode}", upload, cases, (S3FS_PYTHON,))


def minio_go(mode: str, cases: Sequence[str]) -> Client:
    return Client(f"minio-go-{mode}", script(MINIO_GO, mode), cases, (MINIO_GO,))


CLIENTS = (
    aws_sdk_js("put-buffer", EVERY),
    aws_sdk_js("put-stream", SIZES),
    aws_sdk_js("upload-stream", EVERY),
    aws_sdk_js("upload-unknown-length", SIZES),
    aws_sdk_js("put-stream", ("small", "large"), over_tls=True),
    minio_js("fput-object", EVERY),
    minio_js("put-stream", SIZES),
    # Not empty: minio-js then completes a multipart upload of no parts, which S3 itself refuses.
    minio_js("put-stream-unknown-length", ("small", "large")),
    minio_py("put-object", EVERY),
    minio_py("put-object-with-region", SIZES),
    minio_py("put-object-unknown-length", SIZES),
    minio_py("fput-object", SIZES),
    minio_go("signed-chunks", EVERY),
    minio_go("signed-chunks-one-part", ("large",)),
    # Large: minio-go completes with the composite checksum without "-2" behind it. S3 and MinIO take it
    # with and without; SeaweedFS itself answers BadDigest without.
    minio_go("trailing-crc32c", EVERY),
    minio_go("trailing-sha256-one-part", ("small", "large")),
    s3fs("put-file", EVERY),
    s3fs("open-wb", SIZES),
    s3fs("pipe", SIZES),
    Client("pyarrow", script(PYTHON, HERE / "python" / "pyarrow_upload.py"), EVERY, (PYTHON,)),
)
