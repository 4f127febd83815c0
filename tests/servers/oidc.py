"""A small identity provider: signs tokens and shows its keys as a JWK Set over HTTP, well or badly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "mizuchi"
DRIP_SECONDS = 0.2

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Behaviour = Literal["ok", "down", "slow", "drip", "garbage", "error", "redirect", "huge", "empty"]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its name and algorithm."""

    key: PrivateKey
    algorithm: str
    key_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def make(cls, algorithm: str = "ES256") -> SigningKey:
        if algorithm.startswith(("RS", "PS")):
            return cls(rsa.generate_private_key(65537, 2048), algorithm)
        if algorithm == "EdDSA":
            return cls(ed25519.Ed25519PrivateKey.generate(), algorithm)
        curves = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
        return cls(ec.generate_private_key(curves[algorithm]()), algorithm)

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public half as a JWK; ``changes`` of None take a member away."""
        public = self.key.public_key()
        kinds: dict[str, Any] = {"R": RSAAlgorithm, "P": RSAAlgorithm, "E": ECAlgorithm}
        kind = OKPAlgorithm if self.algorithm == "EdDSA" else kinds[self.algorithm[0]]
        members = kind.to_jwk(public, as_dict=True)
        members = members | {"kid": self.key_id, "alg": self.algorithm, "use": "sig"} | changes
        return {name: value for name, value in members.items() if value is not None}

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        return jwt.encode(dict(claims), self.key, self.algorithm, {"kid": self.key_id} | header)


@dataclass
class Issuer:
    """An identity provider at ``url``. ``keys`` are shown; the last of them signs."""

    url: str
    keys: list[SigningKey]
    behaviour: Behaviour = "ok"
    slow_seconds: float = 2.0
    fetches: int = 0
    heads: list[dict[str, str]] = field(default_factory=list)

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/keys"

    def rotate(self, algorithm: str = "ES256", *, keep: int = 1) -> SigningKey:
        """Sign with a new key from now on; ``keep`` of the older ones stay on show."""
        self.keys = [*self.keys[len(self.keys) - keep :], SigningKey.make(algorithm)]
        return self.keys[-1]

    def claims(self, subject: str = "alice", *, lifetime: float = 300, **more: Any) -> dict[str, Any]:
        now = time.time()
        times = {"iat": int(now), "exp": now + lifetime}
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": subject, **times, **more}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, subject: str = "alice", *, lifetime: float = 300, **more: Any) -> str:
        """A token that is good unless ``more`` says otherwise; None takes a claim away."""
        return self.keys[-1].token(self.claims(subject, lifetime=lifetime, **more))

    def document(self) -> bytes:
        return json.dumps({"keys": [key.jwk() for key in self.keys]}).encode()


@contextmanager
def running_issuer(algorithm: str = "ES256") -> Iterator[Issuer]:
    """An issuer on a loopback port until the block ends."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            issuer.fetches += 1
            issuer.heads.append({name.lower(): value for name, value in self.headers.items()})
            with suppress(OSError):
                _ANSWERS[issuer.behaviour](self, issuer, ended)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test's output is not a log of requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}", [SigningKey.make(algorithm)])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


Answer = Callable[[BaseHTTPRequestHandler, Issuer, threading.Event], None]


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _ok(handler: BaseHTTPRequestHandler, issuer: Issuer, ended: threading.Event) -> None:
    _send(handler, 200, issuer.document())


def _slow(handler: BaseHTTPRequestHandler, issuer: Issuer, ended: threading.Event) -> None:
    ended.wait(issuer.slow_seconds)
    _send(handler, 200, issuer.document())


def _drip(handler: BaseHTTPRequestHandler, issuer: Issuer, ended: threading.Event) -> None:
    """A header that never ends, a byte now and then."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
    while not ended.wait(DRIP_SECONDS):
        handler.wfile.write(b"x")


def _status(status: int, body: bytes = b"", **headers: str) -> Answer:
    return lambda handler, issuer, ended: _send(handler, status, body, **headers)


_ANSWERS: Mapping[Behaviour, Answer] = {
    "ok": _ok,
    "down": lambda handler, issuer, ended: handler.connection.close(),
    "slow": _slow,
    "drip": _drip,
    "garbage": _status(200, b"<html>not here</html>"),
    "error": _status(500),
    "redirect": _status(302, Location="/keys"),
    "huge": _status(200, b'{"keys": [' + b" " * 1_000_000 + b"]}"),
    "empty": _status(200, b'{"keys": []}'),
}


def encoded(value: Any) -> str:
    """A segment of a token: JSON, or bytes as they are."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(header: Any, payload: Any, signature: bytes = b"") -> str:
    """A token of any header and payload with any signature."""
    return f"{encoded(header)}.{encoded(payload)}.{encoded(signature)}"


def hmac_forged(header: Any, payload: Any, key: bytes) -> str:
    """A token whose signature is an HMAC-SHA-256 with whatever key."""
    signing_input = f"{encoded(header)}.{encoded(payload)}"
    return f"{signing_input}.{encoded(hmac.digest(key, signing_input.encode(), hashlib.sha256))}"
