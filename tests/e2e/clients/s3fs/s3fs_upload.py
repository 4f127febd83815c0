"""Uploads one file with s3fs: s3fs_upload.py MODE BUCKET KEY FILE.

Endpoint, region and keys come from the AWS_* variables, as botocore reads them.
"""

import shutil
import sys
from pathlib import Path

import s3fs


def put_file(filesystem, target, path):
    """Not ``put``: that lists the target first, to see whether it is a folder, and an upload-only gateway
    lists nothing. ``put_file`` is what it then calls."""
    filesystem.put_file(path, target)


def open_for_writing(filesystem, target, path):
    with open(path, "rb") as source, filesystem.open(target, "wb") as sink:
        shutil.copyfileobj(source, sink, 1024 * 1024)


def pipe(filesystem, target, path):
    filesystem.pipe(target, Path(path).read_bytes())


MODES = {"put-file": put_file, "open-wb": open_for_writing, "pipe": pipe}


def upload(mode, bucket, key, path):
    MODES[mode](s3fs.S3FileSystem(), f"{bucket}/{key}", path)


if __name__ == "__main__":
    upload(*sys.argv[1:])
