"""The forms in which a body can be sent and proven, each as the bytes of a whole request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.e2e.wire.client import Request
from tests.e2e.wire.scene import Scene, crc32_of, md5_of
from tests.e2e.wire.signing import (
    SIGNED_CHUNKS,
    SIGNED_CHUNKS_TRAILER,
    UNSIGNED,
    UNSIGNED_TRAILER,
    Signer,
    unsigned_chunks,
)

_CRC32 = "x-amz-checksum-crc32"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to be signed and what it uploads."""

    request: Request
    chunks: Sequence[bytes]

    @property
    def payload(self) -> bytes:
        return b"".join(self.chunks)

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        return self.request.with_headers(headers)


Form = Callable[[Sent, Signer], Request]


def plain_sha256(sent: Sent, signer: Signer) -> Request:
    digest = hashlib.sha256(sent.payload).hexdigest()
    return signer.sign(sent.with_headers({"x-amz-content-sha256": digest})).with_body(sent.payload)


def plain_md5(sent: Sent, signer: Signer) -> Request:
    headers = {"x-amz-content-sha256": UNSIGNED, "Content-MD5": md5_of(sent.payload)}
    return signer.sign(sent.with_headers(headers)).with_body(sent.payload)


def unsigned_trailer(sent: Sent, signer: Signer) -> Request:
    signed = signer.sign(_streaming(sent, UNSIGNED_TRAILER, _CRC32))
    return signed.with_body(b"".join(unsigned_chunks(sent.chunks, (_CRC32, crc32_of(sent.payload)))))


def signed_chunks(sent: Sent, signer: Signer) -> Request:
    signed = signer.sign(_streaming(sent, SIGNED_CHUNKS))
    return signed.with_body(b"".join(signer.chunks(signed, sent.chunks)))


def signed_chunks_and_trailer(sent: Sent, signer: Signer) -> Request:
    signed = signer.sign(_streaming(sent, SIGNED_CHUNKS_TRAILER, _CRC32))
    trailer = (_CRC32, crc32_of(sent.payload))
    return signed.with_body(b"".join(signer.chunks(signed, sent.chunks, trailer)))


FORMS: Mapping[str, Form] = {
    "sha256": plain_sha256,
    "md5": plain_md5,
    "unsigned-trailer": unsigned_trailer,
    "signed-chunks": signed_chunks,
    "signed-chunks-trailer": signed_chunks_and_trailer,
}


def put_of(scene: Scene, *chunks: bytes) -> Sent:
    """PutObject of the scene's key."""
    return Sent(scene.request("PUT"), chunks)


def part_of(scene: Scene, upload_id: str, *chunks: bytes) -> Sent:
    """Part 1 of an upload of the scene's key."""
    return Sent(scene.request("PUT", query=f"partNumber=1&uploadId={upload_id}"), chunks)


def _streaming(sent: Sent, form: str, trailer: str | None = None) -> Request:
    headers = {"x-amz-content-sha256": form, "x-amz-decoded-content-length": str(len(sent.payload))}
    return sent.with_headers(headers | ({"x-amz-trailer": trailer} if trailer else {}))
