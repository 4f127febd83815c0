"""Bucket and key of a request, from its path and host.

Path style ``/bucket/key`` always; virtual-host style ``bucket.domain/key`` when a domain is given.
Sources: S3 User Guide, "General purpose bucket naming rules" and "Naming Amazon S3 objects"; XML 1.0,
production [2] Char.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from .errors import InvalidBucketName, InvalidKey, InvalidURI, KeyTooLongError

MAX_KEY_BYTES = 1024

_BUCKET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Address(NamedTuple):
    """Which bucket and key a request names; both None for the service root."""

    bucket: str | None
    key: str | None


def parse_address(path: bytes, host: str, domain: str | None) -> Address:
    """The bucket and key of a percent-decoded ``path``; ``//`` and a trailing ``/`` belong to the key.

    ``host`` may have a port; ``domain`` has none. Raises InvalidURI, InvalidBucketName, KeyTooLongError,
    InvalidKey.
    """
    if path and not path.startswith(b"/"):
        raise InvalidURI("Could not parse the specified URI: its path does not begin with a slash.")
    bucket, key = _split(path[1:], _virtual_bucket(host, domain))
    if bucket is None:
        return Address(None, None)
    return Address(check_bucket(_text(bucket)), check_key(_text(key)) if key else None)


@lru_cache(maxsize=1024)
def check_bucket(name: str) -> str:
    """``name`` if it is one that a bucket can have, else InvalidBucketName.

    The prefixes and suffixes that AWS reserves for itself (``xn--``, ``-s3alias``) say nothing about
    a gateway's own names, so they pass.
    """
    if not _BUCKET_NAME.fullmatch(name) or _IPV4.fullmatch(name):
        raise InvalidBucketName
    return name


def check_key(key: str) -> str:
    """``key`` if an object can have it, else InvalidURI, KeyTooLongError or InvalidKey."""
    if not is_xml_text(key):
        raise InvalidURI("The object key has a control character or is not valid UTF-8. Choose another key.")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise KeyTooLongError
    if not key:
        raise InvalidKey("The object key is empty. Name the object.")
    if not {".", ".."}.isdisjoint(key.split("/")):
        raise InvalidKey("The object key has a '.' or '..' segment. Choose a key without it.")
    return key


def apply_prefix(prefix: str, key: str) -> str:
    """The key at the backend: ``key`` behind the bucket's prefix, checked as a whole like any key."""
    return check_key(prefix + key)


def is_xml_text(text: str) -> bool:
    """Whether XML 1.0 can carry every character of ``text``, so that answers can name it."""
    return NOT_XML.search(text) is None


def _virtual_bucket(host: str, domain: str | None) -> bytes | None:
    if domain is None:
        return None
    name = re.sub(r":[0-9]*$", "", host).lower()
    suffix = f".{domain.lower()}"
    if not name.endswith(suffix):
        return None
    return name.removesuffix(suffix).encode(errors="replace")


def _split(path: bytes, virtual_bucket: bytes | None) -> tuple[bytes | None, bytes]:
    if virtual_bucket is not None:
        return virtual_bucket, path
    if not path:
        return None, b""
    bucket, _, key = path.partition(b"/")
    return bucket, key


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InvalidURI from None
