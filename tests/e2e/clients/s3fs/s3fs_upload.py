"""Uploads one file with s3fs: s3fs_upload.py MODE BUCKET KEY FILE.

Endpoint, region and keys come from the AWS_* variables, as botocore reads them.
"""

import shutil
import sys
from pathlib import Path

import s3fs


def put(filesystem, target, path):
    filesystem.put(path, target)


def open_for_writing(filesystem, target, path):
    with open(path, "rb") as source, filesystem.open(target, "wb") as sink:
        shutil.copyfileobj(source, sink, 1024 * 1024)


def pipe(filesystem, target, path):
    filesystem.pipe(target, Path(path).read_bytes())


MODES = {"put": put, "open-wb": open_for_writing, "pipe": pipe}


def upload(mode, bucket, key, path):
    MODES[mode](s3fs.S3FileSystem(), f"{bucket}/{key}", path)


if __name__ == "__main__":
    upload(*sys.argv[1:])
