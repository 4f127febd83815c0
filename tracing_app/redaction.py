"""What traces may show of keys and subjects: nothing that identifies a person, unless so configured."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from functools import lru_cache

from tracing_app.config import KeyRedaction

_HASH_CHARACTERS = 16
_UPLOAD_CHARACTERS = 32
# A first segment that reads like a folder; an e-mail address or a sentence does not.
_PLAIN_FOLDER = re.compile(r"[A-Za-z0-9_-]{1,32}")


def upload_hash(upload_id: str) -> str:
    """What traces show of a multipart upload id: 32 hex digits of its SHA-256, by which they are found with
    the id. Sealed ids are random enough to need no key."""
    return hashlib.sha256(upload_id.encode("utf-8", "surrogatepass")).hexdigest()[:_UPLOAD_CHARACTERS]


class Redactor:
    """Hashes with the first of ``hash_keys``, so that a hash tells nothing without the key and changes
    when the operator rotates it.

    ``subject`` is a keyed hash (HMAC-SHA-256, 64 bits of it in hex) that is the same for the same subject.
    """

    def __init__(self, level: KeyRedaction, hash_keys: Sequence[bytes]) -> None:
        self._level = level
        self._hash_key = hash_keys[0]
        # The same few principals, and the parts of an upload the same key, come again and again.
        self.subject = lru_cache(maxsize=1024)(self._hash)

    def key(self, key: str) -> str:
        """An object's key by the level: itself, its first segment (if it reads like a folder's name) and a
        hash, or a hash."""
        if self._level == "full":
            return key
        hashed = self.subject(key)
        first, slash, _ = key.partition("/")
        if self._level == "hash" or not slash or not _PLAIN_FOLDER.fullmatch(first):
            return hashed
        return f"{first}/{hashed}"

    def _hash(self, subject: str) -> str:
        digest = hmac.digest(self._hash_key, subject.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return digest.hex()[:_HASH_CHARACTERS]
