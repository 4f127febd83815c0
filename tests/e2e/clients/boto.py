"""boto3, in this process: its calls, its managed transfers, presigned URLs and forms."""

from __future__ import annotations

import http.client
import io
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from .cases import EVERY, KEYS, SIZES
from .target import Client, ClientFailed, Target, Upload

CHECKSUM_ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


@contextmanager
def connect(target: Target, **options: Any) -> Iterator[Any]:
    session = boto3.session.Session(target.access_key_id, target.secret_access_key, region_name=target.region)
    client = session.client(
        "s3",
        endpoint_url=target.endpoint,
        verify=str(target.ca_file) if target.ca_file else None,
        config=Config(retries={"total_max_attempts": 1}, **options),
    )
    try:
        yield client
    finally:
        client.close()


def put_bytes(target: Target, key: str, file: Path) -> None:
    with connect(target) as client:
        client.put_object(Bucket=target.bucket, Key=key, Body=file.read_bytes())


def put_with_checksum(algorithm: str) -> Upload:
    def upload(target: Target, key: str, file: Path) -> None:
        with connect(target) as client, file.open("rb") as body:
            client.put_object(Bucket=target.bucket, Key=key, Body=body, ChecksumAlgorithm=algorithm)

    return upload


def put_signed_payload(target: Target, key: str, file: Path) -> None:
    with (
        connect(target, signature_version="s3v4", s3={"payload_signing_enabled": True}) as client,
        file.open("rb") as body,
    ):
        client.put_object(Bucket=target.bucket, Key=key, Body=body)


def upload_file(target: Target, key: str, file: Path) -> None:
    with connect(target) as client:
        client.upload_file(str(file), target.bucket, key)


def upload_file_with_checksum(algorithm: str) -> Upload:
    def upload(target: Target, key: str, file: Path) -> None:
        with connect(target) as client:
            client.upload_file(str(file), target.bucket, key, ExtraArgs={"ChecksumAlgorithm": algorithm})

    return upload


def upload_fileobj(target: Target, key: str, file: Path) -> None:
    with connect(target) as client:
        client.upload_fileobj(io.BytesIO(file.read_bytes()), target.bucket, key)


def presigned_url(target: Target, key: str) -> str:
    with connect(target, signature_version="s3v4") as client:
        url: str = client.generate_presigned_url(
            "put_object", Params={"Bucket": target.bucket, "Key": key}, ExpiresIn=300
        )
    return url


def presigned_put(target: Target, key: str, file: Path) -> None:
    url = urlsplit(presigned_url(target, key))
    send(target, "PUT", f"{url.path}?{url.query}", file.read_bytes())


def presigned_post(target: Target, key: str, file: Path) -> None:
    with connect(target, signature_version="s3v4") as client:
        form = client.generate_presigned_post(target.bucket, key, ExpiresIn=300)
    boundary = uuid.uuid4().hex
    send(
        target,
        "POST",
        urlsplit(form["url"]).path,
        encode_form(form["fields"], file, boundary),
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )


def encode_form(fields: Mapping[str, str], file: Path, boundary: str) -> bytes:
    """The form as a browser sends it: the fields, then the file as the last part."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return b"".join([*parts, head.encode(), file.read_bytes(), f"\r\n--{boundary}--\r\n".encode()])


def send(
    target: Target, method: str, address: str, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    connection = http.client.HTTPConnection(target.netloc, timeout=60)
    try:
        connection.request(method, address, body, dict(headers or {}))
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    finally:
        connection.close()
    if answer.status not in (200, 204):
        raise ClientFailed(f"{method} {address}\n{answer.status} {answer.reason}\n{text}")


CLIENTS = (
    Client("boto3-put-object", put_bytes, EVERY),
    Client("boto3-signed-payload", put_signed_payload, SIZES),
    Client("boto3-upload-file", upload_file, EVERY),
    Client("boto3-upload-fileobj", upload_fileobj, SIZES),
    Client("boto3-presigned-put", presigned_put, EVERY),
    Client("boto3-presigned-post", presigned_post, EVERY),
    *(
        Client(f"boto3-put-{algorithm.lower()}", put_with_checksum(algorithm), ("small", "empty"))
        for algorithm in CHECKSUM_ALGORITHMS
    ),
    *(
        Client(f"boto3-upload-{algorithm.lower()}", upload_file_with_checksum(algorithm), ("large",))
        for algorithm in CHECKSUM_ALGORITHMS
    ),
    # Only over TLS do the AWS SDKs put the checksum in a trailer of unsigned chunks.
    Client("boto3-tls-put-object", put_bytes, SIZES + KEYS, over_tls=True),
    Client("boto3-tls-upload-file", upload_file, ("large",), over_tls=True),
    Client("boto3-tls-put-sha256", put_with_checksum("SHA256"), ("small",), over_tls=True),
)
