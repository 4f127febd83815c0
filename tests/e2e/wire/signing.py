"""Signature Version 4 as a client writes it, sharing no code with the gateway; and botocore's beside it.

Source: S3 API reference, "Authenticating Requests (AWS Signature Version 4)".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.wire.client import Request

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_ALWAYS_SIGNED = ("host", "content-md5", "content-type")


@dataclass(frozen=True, slots=True)
class Signer:
    """An access key and everything that can be got wrong with it.

    ``at`` is the time of the request, now when None; ``day`` that of the scope, the same when "".
    """

    access_key_id: str
    secret: str = field(repr=False)
    region: str = "us-east-1"
    service: str = "s3"
    algorithm: str = "AWS4-HMAC-SHA256"
    at: datetime | None = None
    day: str = ""

    def but(self, **changes: Any) -> Signer:
        """The same with something else."""
        return replace(self, **changes)

    def timestamp(self) -> str:
        return f"{self.at or datetime.now(UTC):%Y%m%dT%H%M%SZ}"

    def sign(self, request: Request, *, unsigned: Collection[str] = ()) -> Request:
        """Signed in the Authorization header. The payload hash is that of the body unless a header says."""
        timestamp = self.timestamp()
        payload = request.header("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
        request = request.with_headers({"x-amz-date": timestamp, "x-amz-content-sha256": payload})
        names = [name for name in _names_to_sign(request) if name not in unsigned]
        signature = self._signature(_canonical(request, names, payload), timestamp)
        return request.and_header(
            "Authorization",
            f"{self.algorithm} Credential={self.access_key_id}/{self.scope(timestamp)}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}",
        )

    def presign(self, request: Request, *, expires: str = "300") -> Request:
        """Signed in the query; what the query says already is signed with it."""
        timestamp = self.timestamp()
        names = _names_to_sign(request)
        added = urlencode(
            {
                "X-Amz-Algorithm": self.algorithm,
                "X-Amz-Credential": f"{self.access_key_id}/{self.scope(timestamp)}",
                "X-Amz-Date": timestamp,
                "X-Amz-Expires": expires,
                "X-Amz-SignedHeaders": ";".join(names),
            },
            quote_via=quote,
            safe="",
        )
        request = request.with_query(f"{request.query}&{added}" if request.query else added)
        signature = self._signature(_canonical(request, names, UNSIGNED), timestamp)
        return request.with_query(f"{request.query}&X-Amz-Signature={signature}")

    def policy_fields(self, policy: Mapping[str, Any]) -> dict[str, str]:
        """The fields of a POST form that carry this policy, signed."""
        timestamp = self.timestamp()
        credential = {
            "x-amz-algorithm": self.algorithm,
            "x-amz-credential": f"{self.access_key_id}/{self.scope(timestamp)}",
            "x-amz-date": timestamp,
        }
        conditions = [*policy["conditions"], *({name: value} for name, value in credential.items())]
        text = base64.b64encode(json.dumps({**policy, "conditions": conditions}).encode()).decode()
        signature = hmac.digest(self.key(timestamp), text.encode(), "sha256").hex()
        return {**credential, "policy": text, "x-amz-signature": signature}

    def chunks(
        self, signed: Request, chunks: Sequence[bytes], trailer: tuple[str, str] | None = None
    ) -> tuple[bytes, ...]:
        """The aws-chunked body that belongs to a signed request: one piece for each chunk, and the end.

        The final chunk is added. With a ``trailer`` it is signed too, as the ``-TRAILER`` form has it.
        """
        timestamp = signed.header("x-amz-date")
        where = f"{timestamp}\n{self.scope(timestamp)}\n"
        key, previous = self.key(timestamp), signed.header("authorization")[-64:]
        pieces = []
        for data in (*chunks, b""):
            text = (
                f"{self.algorithm}-PAYLOAD\n{where}{previous}\n{EMPTY_SHA256}\n"
                f"{hashlib.sha256(data).hexdigest()}"
            )
            previous = hmac.digest(key, text.encode(), "sha256").hex()
            pieces.append(f"{len(data):x};chunk-signature={previous}\r\n".encode() + data + b"\r\n")
        if trailer is not None:
            line = f"{trailer[0]}:{trailer[1]}"
            digest = hashlib.sha256(f"{line}\n".encode()).hexdigest()
            text = f"{self.algorithm}-TRAILER\n{where}{previous}\n{digest}"
            closing = hmac.digest(key, text.encode(), "sha256").hex()
            pieces[-1] = pieces[-1].removesuffix(b"\r\n")
            pieces.append(f"{line}\r\nx-amz-trailer-signature:{closing}\r\n\r\n".encode())
        return tuple(pieces)

    def scope(self, timestamp: str) -> str:
        return f"{self.day or timestamp[:8]}/{self.region}/{self.service}/aws4_request"

    def key(self, timestamp: str) -> bytes:
        key = b"AWS4" + self.secret.encode()
        for text in self.scope(timestamp).split("/"):
            key = hmac.digest(key, text.encode(), "sha256")
        return key

    def _signature(self, canonical: str, timestamp: str) -> str:
        digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        text = f"{self.algorithm}\n{timestamp}\n{self.scope(timestamp)}\n{digest}"
        return hmac.digest(self.key(timestamp), text.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class BotocoreSigner(Signer):
    """The same, but the Authorization header is botocore's work."""

    def sign(self, request: Request, *, unsigned: Collection[str] = ()) -> Request:
        assert not unsigned, "botocore signs what it signs"
        payload = request.header("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
        aws = AWSRequest(
            method=request.method,
            url=f"http://{request.header('host')}{request.target}",
            headers=dict(request.without_headers("Content-Length").headers),
        )
        aws.context["client_config"] = None
        _Auth(payload, Credentials(self.access_key_id, self.secret), self.region).add_auth(aws)
        return request.with_headers({str(name): str(value) for name, value in aws.headers.items()})


class _Auth(S3SigV4Auth):
    """botocore's signer for S3, told what the payload hash is: it knows no signed chunks itself."""

    def __init__(self, payload_hash: str, credentials: Credentials, region: str) -> None:
        super().__init__(credentials, "s3", region)
        self._payload_hash = payload_hash

    def payload(self, request: AWSRequest) -> str:
        return self._payload_hash


def unsigned_chunks(chunks: Sequence[bytes], trailer: tuple[str, str] | None) -> tuple[bytes, ...]:
    """An aws-chunked body without signatures: one piece for each chunk, and the end."""
    line = f"{trailer[0]}:{trailer[1]}\r\n" if trailer else ""
    pieces = [f"{len(data):x}\r\n".encode() + data + b"\r\n" for data in chunks]
    return (*pieces, f"0\r\n{line}\r\n".encode())


def _names_to_sign(request: Request) -> list[str]:
    names = {name.lower() for name, _ in request.headers}
    return sorted(name for name in names if name in _ALWAYS_SIGNED or name.startswith("x-amz-"))


def _canonical(request: Request, names: Sequence[str], payload_hash: str) -> str:
    pairs = [pair.partition("=") for pair in request.query.split("&") if pair]
    query = "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs))
    lines = [f"{name}:{_value(request, name)}\n" for name in names]
    path = quote(unquote_to_bytes(request.path), safe="/-_.~")
    return "\n".join([request.method, path, query, "".join(lines), ";".join(names), payload_hash])


def _value(request: Request, name: str) -> str:
    return ",".join(" ".join(value.split()) for key, value in request.headers if key.lower() == name)


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="-_.~")
