"""Uploads one file with pyarrow's S3 file system: pyarrow_upload.py BUCKET KEY FILE."""

import os
import shutil
import sys
from urllib.parse import urlsplit

from pyarrow.fs import S3FileSystem


def upload(bucket, key, path):
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    filesystem = S3FileSystem(
        endpoint_override=endpoint.netloc, scheme=endpoint.scheme, region=os.environ["AWS_REGION"]
    )
    with open(path, "rb") as source, filesystem.open_output_stream(f"{bucket}/{key}") as sink:
        shutil.copyfileobj(source, sink, 1024 * 1024)


if __name__ == "__main__":
    upload(*sys.argv[1:])
