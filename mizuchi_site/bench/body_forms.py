"""The forms in which clients send the body of an upload, each as what goes over the wire.

Source: S3 API reference, "Authenticating Requests (AWS Signature Version 4)", "Transferring Payload in
Multiple Chunks" and "Including Trailing Headers".
"""

from __future__ import annotations

import base64
import hashlib
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from authz.sigv4.proof import EMPTY_SHA256, ChunkChain
from authz.sigv4.scope import CredentialScope
from authz.sigv4.signing import ChunkSigner, signing_key

from .server import Server
from .sizes import KIBIBYTE, MEBIBYTE
from .uploads import REGION, UNSIGNED, request_head, signed

UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
TRAILER_CHUNK_BYTES = MEBIBYTE  # as boto3 has it
SIGNED_CHUNK_BYTES = 64 * KIBIBYTE  # as the SDKs for Java and Go have it


@dataclass(frozen=True, slots=True)
class Upload:
    """A request: ``head``, each of ``frames`` and after it ``block_bytes`` of the block, then ``tail``."""

    head: bytes
    frames: Sequence[bytes] = ()
    block_bytes: int = 0
    tail: bytes = b""


@cache
def block() -> bytes:
    """A mebibyte that is the same in every process: bodies are repetitions of it, or of its beginning."""
    return random.Random(0).randbytes(MEBIBYTE)  # noqa: S311 - nothing secret


def plain(server: Server, path: str, size: int) -> Upload:
    """``UNSIGNED-PAYLOAD``, as over TLS."""
    return _whole(server, path, size, UNSIGNED)


def hashed(server: Server, path: str, size: int) -> Upload:
    """The body's SHA-256 in the head."""
    return _whole(server, path, size, _sha256(size))


def trailed(server: Server, path: str, size: int) -> Upload:
    """aws-chunked without signatures, with a CRC32 after the body: what current SDKs send over TLS."""
    count, length = _blocks(size, TRAILER_CHUNK_BYTES)
    frames = [b"%x\r\n" % length] + [b"\r\n%x\r\n" % length] * (count - 1)
    tail = b"\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % _crc32(size)
    headers = {
        **_chunked(size),
        "x-amz-sdk-checksum-algorithm": "CRC32",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    return _framed(path, signed(server, path, headers, UNSIGNED_TRAILER), frames, length, tail)


def chunk_signed(server: Server, path: str, size: int) -> Upload:
    """aws-chunked with a signature for each chunk: what SDKs send without TLS."""
    count, length = _blocks(size, SIGNED_CHUNK_BYTES)
    headers = signed(server, path, _chunked(size), SIGNED_CHUNKS)
    signer = ChunkSigner(_chain(server, headers))
    digest = hashlib.sha256(block()[:length]).hexdigest()
    frames = [f"\r\n{length:x};chunk-signature={signer.chunk(digest)}\r\n".encode() for _ in range(count)]
    frames[0] = frames[0].removeprefix(b"\r\n")
    tail = f"\r\n0;chunk-signature={signer.chunk(EMPTY_SHA256)}\r\n\r\n".encode()
    return _framed(path, headers, frames, length, tail)


def unauthenticated(host: str, path: str, size: int) -> Upload:
    """A PUT without anything of S3, for servers that know nothing of it."""
    return _repeated(request_head("PUT", path, {"host": host, "content-length": str(size)}), size)


BodyForm = Callable[[Server, str, int], Upload]
BODY_FORMS: Mapping[str, BodyForm] = {
    "plain": plain,
    "SHA-256 in the head": hashed,
    "aws-chunked, CRC32 trailer": trailed,
    "aws-chunked, signed": chunk_signed,
}
"""Sizes are a mebibyte and multiples, or less than 64 KiB."""


def _whole(server: Server, path: str, size: int, payload_hash: str) -> Upload:
    headers = signed(server, path, {"content-length": str(size)}, payload_hash)
    return _repeated(request_head("PUT", path, headers), size)


def _repeated(head: bytes, size: int) -> Upload:
    count, length = _blocks(size, MEBIBYTE)
    return Upload(head, (b"",) * count, length)


def _framed(
    path: str, headers: Mapping[str, str], frames: Sequence[bytes], block_bytes: int, tail: bytes
) -> Upload:
    length = sum(map(len, frames)) + len(frames) * block_bytes + len(tail)
    head = request_head("PUT", path, {**headers, "content-length": str(length)})
    return Upload(head, frames, block_bytes, tail)


def _blocks(size: int, most: int) -> tuple[int, int]:
    """How many blocks of how many bytes make up a body."""
    length = min(size, most)
    if size % length:
        raise ValueError(f"{size} is no multiple of {length}")
    return size // length, length


def _chunked(size: int) -> dict[str, str]:
    return {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(size)}


def _chain(server: Server, headers: Mapping[str, str]) -> ChunkChain:
    timestamp = headers["x-amz-date"]
    scope = CredentialScope(date=timestamp[:8], region=REGION, service="s3")
    key = signing_key(server.secret_access_key, scope)
    return ChunkChain(key, timestamp, scope.text, headers["authorization"][-64:])


@cache
def _sha256(size: int) -> str:
    hasher = hashlib.sha256()
    count, length = _blocks(size, MEBIBYTE)
    for _ in range(count):
        hasher.update(block()[:length])
    return hasher.hexdigest()


@cache
def _crc32(size: int) -> bytes:
    """In base64, as the trailer has it."""
    value = 0
    count, length = _blocks(size, MEBIBYTE)
    for _ in range(count):
        value = zlib.crc32(block()[:length], value)
    return base64.b64encode(value.to_bytes(4, "big"))
