"""A writer of aws-chunked bodies, written from the S3 API reference and independent of the decoder."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from authz.sigv4.proof import ChunkChain

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TIMESTAMP = "20130524T000000Z"
SCOPE = "20130524/us-east-1/s3/aws4_request"


def derive_key(secret: str = SECRET) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in SCOPE.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def chain(seed: str = "5e" * 32) -> ChunkChain:
    return ChunkChain(signing_key=derive_key(), timestamp=TIMESTAMP, scope=SCOPE, seed_signature=seed)


class WireWriter:
    """Signs as it writes; ``signatures`` lists them in order."""

    def __init__(self, seed: str = "5e" * 32, *, is_signed: bool = True) -> None:
        self.previous = seed
        self.is_signed = is_signed
        self.signatures: list[str] = []

    def chunk(self, data: bytes, size_format: str = "x") -> bytes:
        return self.header(data, size_format) + (data + b"\r\n" if data else b"")

    def header(self, data: bytes, size_format: str = "x") -> bytes:
        size = format(len(data), size_format)
        if not self.is_signed:
            return f"{size}\r\n".encode()
        hashes = [hashlib.sha256(b"").hexdigest(), hashlib.sha256(data).hexdigest()]
        return f"{size};chunk-signature={self._sign('PAYLOAD', *hashes)}\r\n".encode()

    def trailer(self, fields: Iterable[tuple[str, str]], line_end: bytes = b"\r\n") -> bytes:
        lines = [f"{name}:{value}" for name, value in fields]
        wire = b"".join(line.encode() + line_end for line in lines)
        if self.is_signed:
            canonical = "".join(line + "\n" for line in lines)
            signature = self._sign("TRAILER", hashlib.sha256(canonical.encode()).hexdigest())
            wire += f"x-amz-trailer-signature:{signature}\r\n".encode()
        return wire

    def _sign(self, kind: str, *hashes: str) -> str:
        text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", TIMESTAMP, SCOPE, self.previous, *hashes])
        self.previous = hmac.new(derive_key(), text.encode(), hashlib.sha256).hexdigest()
        self.signatures.append(self.previous)
        return self.previous


def wire(
    chunks: Iterable[bytes], trailer: Iterable[tuple[str, str]] | None = None, *, is_signed: bool = False
) -> bytes:
    """A whole body; ``trailer`` None leaves the trailer, and its signature, out."""
    writer = WireWriter(is_signed=is_signed)
    body = b"".join(writer.chunk(chunk) for chunk in chunks if chunk) + writer.chunk(b"")
    if trailer is not None:
        body += writer.trailer(trailer)
    return body + b"\r\n"
