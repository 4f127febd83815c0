"""What traces may show of keys and subjects: nothing that identifies a person, unless so configured."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from tracing_app.config import KeyRedaction

_HASH_BYTES, _SUBJECTS = 8, 1024
_UPLOAD_CHARACTERS = 32
_FOLDER_CHARACTERS = 32


def upload_hash(upload_id: str) -> str:
    """What traces show of a multipart upload id: 32 hex digits of its SHA-256, by which they are found with
    the id. Sealed ids are random enough to need no key."""
    return hashlib.sha256(upload_id.encode("utf-8", "surrogatepass")).hexdigest()[:_UPLOAD_CHARACTERS]


class Redactor:
    """Hashes with the first of ``hash_keys``, so that a hash tells nothing without the key and changes
    when the operator rotates it.
    """

    def __init__(self, level: KeyRedaction, hash_keys: Sequence[bytes]) -> None:
        self._level = level
        self._mac = hashlib.blake2b(key=hash_keys[0], digest_size=_HASH_BYTES)
        self.subject = lru_cache(maxsize=_SUBJECTS)(self._hash)
        """A keyed hash that is the same for the same subject. Those of the latest subjects are remembered."""

    def _hash(self, text: str) -> str:
        """64 bits of BLAKE2b as a MAC (RFC 7693, section 2.9), in hex. OpenSSL's HMAC takes ten times as long
        where it is called once in a while."""
        mac = self._mac.copy()
        mac.update(text.encode("utf-8", "surrogatepass"))
        return mac.hexdigest()

    def key(self, key: str) -> str:
        """An object's key by the level: itself, its first segment (if it reads like a folder's name) and a
        hash, or a hash."""
        if self._level == "full":
            return key
        hashed = self._hash(key)
        first, slash, _ = key.partition("/")
        return f"{first}/{hashed}" if slash and self._level != "hash" and _is_folder(first) else hashed


def _is_folder(segment: str) -> bool:
    """Whether it reads like one: ASCII letters, digits, ``_`` and ``-``. An e-mail address or a sentence does
    not."""
    return (
        len(segment) <= _FOLDER_CHARACTERS
        and segment.isascii()
        and segment.replace("_", "0").replace("-", "0").isalnum()
    )
