"""A running gateway whose buckets take the tokens of a running identity provider."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.contracts.hostile_tokens import accepting
from tests.e2e.gateway import FILES, SEAWEED, Gateway, running_gateway
from tests.e2e.wire.client import Answer, Request, exchange
from tests.e2e.wire.scene import Scene
from tests.servers.oidc import Issuer, running_issuer
from tests.servers.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.servers.seaweedfs import SeaweedFS

OWN = "own-folders"
TOKENS_ONLY = "tokens-only"
KEYS_ONLY = "keys-only"
SHARED = "shared-secret"
KEYLESS = "keyless"
HEADER = "X-Auth-Token"
QUERY = "token"
AWAY = "https://away.example"
SECRET = secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class TokenSite:
    """``files`` and ``seaweed`` take tokens and signatures; ``tokens-only`` and ``keys-only`` one of them;
    ``own-folders`` has a template; ``shared-secret`` takes other tokens; ``keyless`` cannot get its keys.
    """

    gateway: Gateway
    issuer: Issuer
    receiver: OtlpReceiver

    @property
    def port(self) -> int:
        return int(self.gateway.endpoint.rpartition(":")[2])

    def scene(self, bucket: str = FILES) -> Scene:
        return Scene(self.gateway, bucket)

    def send(self, request: Request) -> Answer:
        return exchange(self.port, request)

    def put(self, token: str, key: str = "", *, bucket: str = FILES, **more: Any) -> Answer:
        """PutObject with a bearer token."""
        scene = self.scene(bucket)
        return self.send(bearing(scene.put(**more).with_path(scene.path_of(key or scene.key)), token))

    def call(self, token: str, method: str, path: str, query: str = "", body: bytes = b"") -> Answer:
        return self.send(bearing(self.scene().request(method, path, query, body=body), token))


def bearing(request: Request, token: str) -> Request:
    return request.and_header("Authorization", f"Bearer {token}")


def in_query(request: Request, token: str) -> Request:
    return request.with_query(f"{QUERY}={token}")


def in_header(request: Request, token: str) -> Request:
    return request.and_header(HEADER, token)


def buckets(issuer: Issuer, upstream_bucket: str, **rules: Any) -> list[Mapping[str, Any]]:
    jwt = accepting(issuer) | {
        "jwks": {"timeout_seconds": 2, "refresh_seconds": 60, "refetch_seconds": 1},
        "sources": ["bearer", {"query": QUERY}, {"header": HEADER}],
        **rules,
    }
    keyless = jwt | {"jwks_url": "http://127.0.0.1:9/keys", "issuer": AWAY}
    shared = {"algorithms": ["HS256"], "secret": SECRET}
    return [
        {"name": FILES, "storage": "disk", "auth": {"jwt": jwt}},
        {"name": SEAWEED, "storage": "upstream", "target": upstream_bucket, "auth": {"jwt": jwt}},
        {"name": OWN, "storage": "disk", "auth": {"jwt": jwt, "key_template": "users/{subject}/"}},
        {"name": TOKENS_ONLY, "storage": "disk", "auth": {"jwt": jwt, "sigv4": {"enabled": False}}},
        {"name": KEYS_ONLY, "storage": "disk"},
        {"name": SHARED, "storage": "disk", "auth": {"jwt": shared}},
        {"name": KEYLESS, "storage": "disk", "auth": {"jwt": keyless}},
    ]


@contextmanager
def running_token_site(folder: Path, upstream: SeaweedFS, **rules: Any) -> Iterator[TokenSite]:
    """``rules`` are more of ``auth.jwt``."""
    target = upstream.create_bucket("tokens")
    with running_issuer("RS256") as issuer, otlp_receiver("http/protobuf") as receiver:
        sections = {
            "buckets": buckets(issuer, target, **rules),
            "tracing": {
                "otlp": {"endpoint": receiver.endpoint, "protocol": "http/protobuf"},
                "batch": {"scheduled_delay_millis": 100},
            },
        }
        with running_gateway(folder, upstream, sections) as gateway:
            yield TokenSite(replace(gateway, upstream_bucket=target), issuer, receiver)


def spans_of(site: TokenSite, answer: Answer) -> dict[str, Span]:
    """By name, once the root has arrived."""
    trace_id = answer.headers["x-amz-request-id"]
    deadline = time.monotonic() + 10
    while True:
        found = [span for span in site.receiver.spans() if span.trace_id.hex() == trace_id]
        if any(span.kind == Span.SPAN_KIND_SERVER for span in found):
            return {span.name: span for span in found}
        assert time.monotonic() < deadline, "the trace has not arrived"
        time.sleep(0.05)


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
