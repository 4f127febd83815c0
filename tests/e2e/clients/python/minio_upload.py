"""Uploads one file with minio-py: minio_upload.py MODE BUCKET KEY FILE."""

import os
import sys
from urllib.parse import urlsplit

from minio import Minio
from minio.credentials import EnvAWSProvider

MIB = 1024 * 1024


def connect(region=None):
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    return Minio(
        endpoint=endpoint.netloc,
        credentials=EnvAWSProvider(),
        secure=endpoint.scheme == "https",
        region=region,
    )


def put_object(bucket, key, path):
    """Without a region the client asks for the bucket's location first."""
    with open(path, "rb") as body:
        connect().put_object(bucket_name=bucket, object_name=key, data=body, length=os.path.getsize(path))


def put_object_with_region(bucket, key, path):
    client = connect(region=os.environ["AWS_REGION"])
    with open(path, "rb") as body:
        client.put_object(bucket_name=bucket, object_name=key, data=body, length=os.path.getsize(path))


def put_object_unknown_length(bucket, key, path):
    with open(path, "rb") as body:
        connect().put_object(bucket_name=bucket, object_name=key, data=body, length=-1, part_size=10 * MIB)


def fput_object(bucket, key, path):
    connect().fput_object(bucket_name=bucket, object_name=key, file_path=path)


MODES = {
    "put-object": put_object,
    "put-object-with-region": put_object_with_region,
    "put-object-unknown-length": put_object_unknown_length,
    "fput-object": fput_object,
}

if __name__ == "__main__":
    MODES[sys.argv[1]](*sys.argv[2:])
