"""Where a hostile request plays: a bucket, a fresh key, the callers, and what the backend holds."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
import time
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

from tests.e2e.gateway import FILES, LIMITED, SEAWEED, Gateway
from tests.e2e.wire.client import Answer, Request, exchange
from tests.e2e.wire.signing import Signer

BODY = b"what is uploaded by the tests of refusals"
PART = b"p" * (5 * 1024 * 1024)
Parts = list[tuple[int, str]]


@dataclass(slots=True)
class Scene:
    """A bucket of the running gateway and a key of its own in it."""

    gateway: Gateway
    bucket: str
    key: str = field(default_factory=lambda: f"refused/{uuid.uuid4().hex}")
    uploads: list[tuple[str, str]] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.gateway.endpoint.rpartition(":")[2])

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def owner(self) -> Signer:
        return Signer(self.gateway.access_key_id, self.gateway.secret_access_key)

    @property
    def neighbour(self) -> Signer:
        return Signer(self.gateway.neighbour_key_id, self.gateway.neighbour_secret)

    @property
    def path(self) -> str:
        """The path of the scene's key."""
        return self.path_of(self.key)

    def path_of(self, key: str) -> str:
        return f"/{self.bucket}/{quote(key)}"

    def request(
        self,
        method: str,
        path: str | None = None,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Request:
        """A request that nobody signed yet, with Host, and Content-Length where there may be a body."""
        added = {"Host": self.host, **(headers or {})}
        if body or method in ("PUT", "POST"):
            added.setdefault("Content-Length", str(len(body)))
        return Request(method, path or self.path, query, tuple(added.items()), body)

    def put(self, body: bytes = BODY, headers: Mapping[str, str] | None = None) -> Request:
        """PutObject of the scene's key, to be signed."""
        return self.request("PUT", headers=headers, body=body)

    def send(self, request: Request, source: str = "127.0.0.1") -> Answer:
        return exchange(self.port, request, source)

    def call(self, method: str, query: str = "", body: bytes = b"", path: str | None = None) -> Answer:
        """A request signed by the owner."""
        return self.send(self.owner.sign(self.request(method, path, query, body=body)))

    def stored(self, body: bytes = BODY) -> str:
        """Upload an object to the scene's key; its ETag with quotes."""
        answer = self.send(self.owner.sign(self.put(body)))
        assert answer.status == 200, answer.body
        return answer.headers["etag"]

    def upload(self) -> str:
        """Begin a multipart upload of the scene's key."""
        answer = self.call("POST", "uploads=")
        assert answer.status == 200, answer.body
        self.uploads.append((self.path, answer.text("UploadId")))
        return answer.text("UploadId")

    def part(self, upload_id: str, number: int, body: bytes = BODY) -> str:
        """Upload a part; its ETag without quotes."""
        answer = self.call("PUT", f"partNumber={number}&uploadId={upload_id}", body)
        assert answer.status == 200, answer.body
        return answer.headers["etag"].strip('"')

    def completion(self, upload_id: str, parts: Parts) -> Request:
        """CompleteMultipartUpload, to be signed."""
        return self.request("POST", query=f"uploadId={upload_id}", body=parts_xml(parts))

    def abort_uploads(self) -> None:
        for path, upload_id in self.uploads:
            self.call("DELETE", f"uploadId={upload_id}", path=path)

    def clear(self) -> None:
        """Nothing of the scene stays where it is slow to list: ``holdings`` of the tests to come list all."""
        self.abort_uploads()
        if self.bucket == SEAWEED:
            bucket = self.gateway.upstream_bucket
            with suppress(ClientError):  # of a key that no storage takes, so nothing is there
                self.gateway.upstream.client.delete_object(Bucket=bucket, Key=self.key)

    def read(self, key: str | None = None) -> bytes:
        """The object's bytes, past the gateway."""
        return self.gateway.read(self.bucket, key or self.key)

    def holdings(self) -> frozenset[str]:
        """Everything there is at the backend: objects, parts, uploads, temporary files and folders."""
        if self.bucket == SEAWEED:
            return frozenset(_in_seaweed(self.gateway))
        return frozenset(_in_folder(self.gateway.objects))

    def records(self, key: str | None = None) -> list[tuple[str, str]]:
        """State and error code of the upload records of this key, the oldest first."""
        return read_records(self.gateway.database, self.bucket, key or self.key)

    def last_record(self, expected: tuple[str, str], seconds: float = 10.0) -> tuple[str, str] | None:
        """The newest record, waited for until it is the one expected."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.records()
            last = found[-1] if found else None
            if last == expected or time.monotonic() > deadline:
                return last
            time.sleep(0.02)


def read_records(database: Path, bucket: str, key: str) -> list[tuple[str, str]]:
    query = "SELECT state, error_code FROM uploads_uploadrecord WHERE bucket = ? AND key = ? ORDER BY id"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        return list(connection.execute(query, (bucket, key)))


def surprises_in(log: str) -> list[str]:
    """The lines of a log that tell of what nobody foresaw.

    Django tells of every Host that its own pages do not have with a traceback: that one is foreseen.
    """
    lines = log.splitlines()
    return [
        f"{before}: {line}"
        for before, line in pairwise(["", *lines])
        if "unforeseen" in line or ("Traceback" in line and "DisallowedHost" not in before)
    ]


def parts_xml(parts: Parts) -> bytes:
    """The body of CompleteMultipartUpload."""
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>" for number, etag in parts
    )
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()


def md5_of(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def crc32_of(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def sha256_of(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def _in_folder(root: Path) -> Iterator[str]:
    for path in root.rglob("*"):
        inner = path.relative_to(root)
        # Locks stay for the next writer of their keys; internal folders without files hold nothing.
        if inner.parts[:2] != (".mizuchi", "locks") and (path.is_file() or inner.parts[0] != ".mizuchi"):
            yield str(inner)


def _in_seaweed(gateway: Gateway) -> Iterator[str]:
    client: Any = gateway.upstream.client
    bucket = gateway.upstream_bucket
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (f"{entry['Key']} {entry['ETag']}" for entry in page.get("Contents", ()))
    for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", ()):
        yield f"upload {upload['UploadId']}"
        parts = client.list_parts(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        yield from (f"part {upload['UploadId']} {part['PartNumber']}" for part in parts.get("Parts", ()))


BOTH = (FILES, SEAWEED)
BUCKETS = (*BOTH, LIMITED)
