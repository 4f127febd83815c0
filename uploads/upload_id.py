"""Sealed upload ids: an upload id that any worker or node can open without shared state.

The id is authenticated ciphertext (AES-256-GCM). Bucket, key and principal are its associated data: with
another bucket, key or principal it does not open, so nobody else can add to, list, complete or abort
the upload. Inside are the backend's own upload id, when the upload began and its trace context.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uploads.s3.errors import NoSuchUpload
from uploads.s3.headers import MultipartChecksum

_NONCE_BYTES = 12
_KEY_ID_BYTES = 4
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
    """Seals with the first of ``keys`` (32 bytes each) and opens with any of them."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {hashlib.sha256(key).digest()[:_KEY_ID_BYTES]: AESGCM(key) for key in keys}
        self._current = next(iter(self._ciphers))

    def seal(self, ticket: UploadTicket, owner: UploadOwner) -> str:
        checksum = ticket.checksum and [ticket.checksum.algorithm, ticket.checksum.type]
        plain = json.dumps([ticket.backend_id, ticket.initiated, checksum, ticket.traceparent]).encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, owner.associated_data())
        return base64.urlsafe_b64encode(self._current + nonce + sealed).rstrip(b"=").decode()

    def open(self, upload_id: str, owner: UploadOwner) -> UploadTicket:
        """Raises NoSuchUpload for anything that was not sealed here for this owner."""
        try:
            if len(upload_id) > _MAX_LENGTH:
                raise NoSuchUpload
            raw = base64.b64decode(upload_id.encode() + b"=" * (-len(upload_id) % 4), b"-_", validate=True)
            cipher = self._ciphers[raw[:_KEY_ID_BYTES]]
            nonce, sealed = raw[_KEY_ID_BYTES:][:_NONCE_BYTES], raw[_KEY_ID_BYTES + _NONCE_BYTES :]
            plain = cipher.decrypt(nonce, sealed, owner.associated_data())
        except (KeyError, ValueError, UnicodeEncodeError, binascii.Error, InvalidTag):
            raise NoSuchUpload from None
        backend_id, initiated, checksum, traceparent = json.loads(plain)
        return UploadTicket(backend_id, initiated, checksum and MultipartChecksum(*checksum), traceparent)


def digest(upload_id: str) -> str:
    """A short name for an upload id in records and telemetry, from which it cannot be got back."""
    return hashlib.sha256(upload_id.encode()).hexdigest()[:32]
