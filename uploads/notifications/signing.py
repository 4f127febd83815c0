"""Signatures of webhooks: HMAC-SHA-256 over id, time and body.

Source: the Standard Webhooks specification 1.0, "Signature scheme" (symmetric, ``v1``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
MIN_BYTES, MAX_BYTES = 24, 64


def parse_secret(text: str) -> bytes:
    """The key of a secret: Base64, with or without its prefix. Raises ValueError."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not Base64") from None
    if not MIN_BYTES <= len(key) <= MAX_BYTES:
        raise ValueError(f"has {len(key)} bytes, not {MIN_BYTES} to {MAX_BYTES}")
    return key


def signed_headers(event_id: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers; one signature for each key. ``timestamp`` is Unix time in seconds, of this try."""
    content = b"%s.%d.%s" % (event_id.encode(), timestamp, body)
    signatures = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
    }
