"""What it costs to verify a signature, and to sign; the signer of AWS's SDK beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from authz.sigv4.authorization import parse_authorization
from authz.sigv4.parts import RequestParts
from authz.sigv4.proof import EMPTY_SHA256, ChunkChain
from authz.sigv4.scope import CredentialScope
from authz.sigv4.signing import ChunkSigner, sign_headers, signing_key
from authz.sigv4.verify import verify

from .calls import Call, time_calls
from .report import Table

_ROUNDS, _QUICK_ROUNDS, _WARM_UP = 41, 9, 1
_KEY_ID, _SECRET = "AKBENCH", "s" * 40
_HOST, _PATH, _REGION = "gateway.example.org", "/bench/photos/2026/picture.jpg", "us-east-1"
_BODY_HASH = sha256(b"x" * 1024).hexdigest()
_SKEW_SECONDS = 900


def steps(is_quick: bool) -> int:
    return len(_calls()) * ((_QUICK_ROUNDS if is_quick else _ROUNDS) + _WARM_UP)


def measure(folder: Path, *, is_quick: bool, on_turn: Callable[[], None]) -> list[Table]:
    rounds = _QUICK_ROUNDS if is_quick else _ROUNDS
    return [Table("One signature", time_calls(_calls(), rounds=rounds, on_turn=on_turn))]


def _calls() -> dict[str, Call]:
    headers = {"host": _HOST, "content-length": "1024"}
    parts = RequestParts("PUT", _PATH.encode(), "", headers | _sign(headers), host=_HOST)
    now = time.time()
    scope = CredentialScope(date=f"{datetime.now(UTC):%Y%m%d}", region=_REGION, service="s3")
    key = signing_key(_SECRET, scope)
    chunks = ChunkSigner(ChunkChain(key, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}", scope.text, "0" * 64))

    def verified() -> None:
        signed = parse_authorization(parts)
        assert signed is not None
        verify(parts, signed, _SECRET, now=now, max_clock_skew_seconds=_SKEW_SECONDS)

    return {
        "verify a head": verified,
        "verify a chunk (less its hash)": lambda: chunks.chunk(EMPTY_SHA256),
        "sign a head": lambda: _sign(headers),
        "sign a head, botocore": _sign_by_botocore,
    }


def _sign(headers: dict[str, str]) -> dict[str, str]:
    return sign_headers(
        method="PUT",
        encoded_path=_PATH,
        query=(),
        headers=headers,
        payload_hash=_BODY_HASH,
        access_key=_KEY_ID,
        secret_key=_SECRET,
        session_token=None,
        region=_REGION,
        now=datetime.now(UTC),
    )


def _sign_by_botocore() -> None:
    headers = {"X-Amz-Content-SHA256": _BODY_HASH, "Content-Length": "1024"}
    request = AWSRequest("PUT", f"http://{_HOST}{_PATH}", headers=headers, data=b"")
    S3SigV4Auth(Credentials(_KEY_ID, _SECRET), "s3", _REGION).add_auth(request)
