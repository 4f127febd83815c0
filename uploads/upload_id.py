"""Sealed upload ids: an upload id that any worker or node can open without shared state.

The id is authenticated ciphertext (AES-256-GCM). Bucket, key and principal are its associated data: with
another bucket, key or principal it does not open, so nobody else can add to, list, complete or abort
the upload. Inside are the backend's own upload id and when the upload began. The trace context of its
beginning is sealed apart, so that a request can join the trace before it is known who sends it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from uploads.s3.errors import NoSuchUpload
from uploads.s3.headers import MultipartChecksum

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_ID_BYTES = 4
_TRACE_BYTES = 25
_SEALED_TRACE_BYTES = _NONCE_BYTES + _TRACE_BYTES + _TAG_BYTES
_TRACE_PURPOSE = b"trace context"
_MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class UploadTicket:
    """What a sealed id carries. ``initiated`` is Unix time in seconds; ``traceparent`` may be empty."""

    backend_id: str
    initiated: float
    checksum: MultipartChecksum | None = None
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class UploadOwner:
    """Whose upload it is and where it goes."""

    principal: str
    bucket: str
    key: str

    def associated_data(self) -> bytes:
        return json.dumps([self.principal, self.bucket, self.key]).encode()


class UploadSealer:
    """Seals with the first of ``keys`` (32 bytes each) and opens with any of them. cryptography comes with
    the first upload id: it takes 8 MiB."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {hashlib.sha256(key).digest()[:_KEY_ID_BYTES]: key for key in keys}
        self._current = next(iter(self._keys))

    @cached_property
    def _ciphers(self) -> dict[bytes, AESGCM]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return {key_id: AESGCM(key) for key_id, key in self._keys.items()}

    def seal(self, ticket: UploadTicket, owner: UploadOwner) -> str:
        checksum = ticket.checksum and [ticket.checksum.algorithm, ticket.checksum.type]
        plain = json.dumps([ticket.backend_id, ticket.initiated, checksum]).encode()
        cipher = self._ciphers[self._current]
        trace = _encrypt(cipher, _packed(ticket.traceparent), _TRACE_PURPOSE)
        sealed = _encrypt(cipher, plain, trace + owner.associated_data())
        return base64.urlsafe_b64encode(self._current + trace + sealed).rstrip(b"=").decode()

    def open(self, upload_id: str, owner: UploadOwner) -> UploadTicket:
        """Raises NoSuchUpload for anything that was not sealed here for this owner."""
        from cryptography.exceptions import InvalidTag

        try:
            cipher, trace, sealed = self._parts(upload_id)
            traceparent = _unpacked(_decrypt(cipher, trace, _TRACE_PURPOSE))
            plain = _decrypt(cipher, sealed, trace + owner.associated_data())
        except (KeyError, ValueError, InvalidTag):
            raise NoSuchUpload from None
        backend_id, initiated, checksum = json.loads(plain)
        return UploadTicket(backend_id, initiated, checksum and MultipartChecksum(*checksum), traceparent)

    def traceparent(self, upload_id: str) -> str:
        """The trace context of the upload, before it is known whose it is; "" when it has none or is none
        of ours."""
        from cryptography.exceptions import InvalidTag

        try:
            cipher, trace, _ = self._parts(upload_id)
            return _unpacked(_decrypt(cipher, trace, _TRACE_PURPOSE))
        except (KeyError, ValueError, InvalidTag):
            return ""

    def _parts(self, upload_id: str) -> tuple[AESGCM, bytes, bytes]:
        if len(upload_id) > _MAX_LENGTH:
            raise ValueError("longer than any id of ours")
        raw = base64.b64decode(upload_id.encode() + b"=" * (-len(upload_id) % 4), b"-_", validate=True)
        key_id, rest = raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:]
        return self._ciphers[key_id], rest[:_SEALED_TRACE_BYTES], rest[_SEALED_TRACE_BYTES:]


def _encrypt(cipher: AESGCM, plain: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, associated)


def _decrypt(cipher: AESGCM, sealed: bytes, associated: bytes) -> bytes:
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)


def _packed(traceparent: str) -> bytes:
    return bytes.fromhex("".join(traceparent.split("-")[1:])) if traceparent else bytes(_TRACE_BYTES)


def _unpacked(trace: bytes) -> str:
    if not any(trace):
        return ""
    text = trace.hex()
    return f"00-{text[:32]}-{text[32:48]}-{text[48:]}"


def digest(upload_id: str) -> str:
    """A short name for an upload id in records, from which it cannot be got back. Traces show it too."""
    return hashlib.sha256(upload_id.encode()).hexdigest()[:32]
