"""POST forms as a browser sends them, with policies as a signer writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.wire.client import Request
from tests.e2e.wire.scene import BODY, Scene
from tests.e2e.wire.signing import Signer

BOUNDARY = "----the-boundary-of-the-tests"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
Fields = Mapping[str, str]


def policy(scene: Scene, *conditions: Any, minutes: float = 5, bucket: str = "") -> dict[str, Any]:
    """A policy for the scene's bucket and key; ``minutes`` until it ends."""
    ends = datetime.now(UTC) + timedelta(minutes=minutes)
    return {
        "expiration": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        "conditions": [{"bucket": bucket or scene.bucket}, ["eq", "$key", scene.key], *conditions],
    }


def fields(scene: Scene, *conditions: Any, signer: Signer | None = None, **terms: Any) -> dict[str, str]:
    """The key and the signed policy."""
    signer = signer or scene.owner
    return {"key": scene.key, **signer.policy_fields(policy(scene, *conditions, **terms))}


def form(scene: Scene, texts: Fields, file: bytes | None = BODY, *, after: Fields | None = None) -> Request:
    """The form with these fields before its file and those ``after`` it."""
    parts = [_field(name, text) for name, text in texts.items()]
    if file is not None:
        parts.append(b'Content-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\n' + file)
    parts += [_field(name, text) for name, text in (after or {}).items()]
    return posted(scene, joined(parts))


def joined(parts: Sequence[bytes]) -> bytes:
    marked = [f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts]
    return b"".join([*marked, f"--{BOUNDARY}--\r\n".encode()])


def posted(scene: Scene, body: bytes, content_type: str = FORM) -> Request:
    return scene.request("POST", f"/{scene.bucket}", headers={"Content-Type": content_type}, body=body)


def _field(name: str, text: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode()
