"""Two buckets of this process: one plain, one with all that a bucket can have and a storage that is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.test import override_settings

from authz.apps import authz_app
from authz.authentication import configured_authenticator
from authz.config import BucketAuth, JwtConfig, OpaConfig, OpenFgaConfig, PolicyConfig
from mizuchi_site import bucket_overview
from tests.servers.otlp_receiver import refused_port
from tests.servers.scripted import Peer, scripted_server
from uploads.apps import uploads_app
from uploads.config import BucketConfig, FilesystemStorageConfig, Limits, S3StorageConfig
from uploads.gateway import build_gateway
from uploads.quotas.rules import BucketQuota, Quota
from uploads.s3.cors import CorsRule
from uploads.throttle.rules import Rate, ThrottleConfig

SECRETS = ("storage-secret-0123", "a-shared-secret-of-tokens-0123456789", "opa-token-0123", "fga-token-0123")


@dataclass(frozen=True, slots=True)
class BucketSite:
    """``endpoint`` is of the storage that is away, ``engine`` of both policy engines, which are away too."""

    endpoint: str
    engine: str
    secrets: tuple[str, ...] = SECRETS


@dataclass(frozen=True, slots=True)
class AnsweringOpa:
    """Says the same to every question, and keeps what it is asked."""

    endpoint: str
    questions: list[dict[str, Any]]


@contextmanager
def answering_opa(decision: Any) -> Iterator[AnsweringOpa]:
    questions: list[dict[str, Any]] = []

    def answer(peer: Peer, number: int) -> None:
        while (asked := peer.read_request()) and asked[0]:
            questions.append(json.loads(asked[1])["input"])
            peer.answer(body=json.dumps({"result": decision}).encode())

    with scripted_server(answer) as server:
        yield AnsweringOpa(server.endpoint, questions)


@contextmanager
def configured_buckets(opa: AnsweringOpa | None = None) -> Iterator[BucketSite]:
    with TemporaryDirectory() as folder, refused_port() as port:
        away = f"http://127.0.0.1:{port}"
        site = BucketSite(away, away)
        storages = (
            FilesystemStorageConfig("disk", Path(folder)),
            S3StorageConfig("away", site.endpoint, access_key="AKSTORAGE", secret_key=SECRETS[0]),
        )
        limits = Limits(1024, 512, 3, ("image/*",), "[a-z]+")
        buckets = (
            BucketConfig("plain", "disk", "plain"),
            BucketConfig(
                "guarded",
                "away",
                "real-bucket",
                "incoming/",
                limits,
                quota=BucketQuota(bucket=Quota(max_bytes=4096), principal=Quota(max_objects=7)),
                cors=(CorsRule(("https://app.example.org",), ("PUT",)),),
            ),
        )
        throttle = ThrottleConfig(buckets={"guarded": Rate(concurrent_uploads=4)})
        uploads = replace(settings.UPLOADS, storages=storages, buckets=buckets, throttle=throttle)
        rules = _rules(site.engine, opa.endpoint if opa else away)
        with (
            override_settings(AUTHZ=replace(settings.AUTHZ, **rules), UPLOADS=uploads),
            _rebuilt(build_gateway(uploads, configured_authenticator())),
        ):
            yield site


def _rules(engine: str, opa: str) -> dict[str, Any]:
    token = JwtConfig(
        ("HS256",),
        secret=SECRETS[1],
        issuers=("https://id.example.org",),
        audiences=("uploads",),
        claims=("tier",),
    )
    policy = PolicyConfig(
        opa=OpaConfig(opa, token=SECRETS[2], timeout_seconds=1.0),
        openfga=OpenFgaConfig(
            engine,
            "01HVMMBCMGZNT3SED4Z17ECXCA",
            relations={"AbortMultipartUpload": "owner"},
            api_token=SECRETS[3],
            timeout_seconds=1.0,
        ),
    )
    guarded = BucketAuth(jwt=token, key_template="users/{subject}/", max_clock_skew_seconds=60)
    return {"buckets": {"plain": BucketAuth(), "guarded": guarded}, "policies": {"guarded": policy}}


@contextmanager
def _rebuilt(gateway: Any) -> Iterator[None]:
    """What is built once for each process is built by these settings, and by its own again afterwards."""
    built: list[tuple[dict[str, Any], str]] = [
        (uploads_app().__dict__, "gateway"),
        (authz_app().__dict__, "authorizer"),
    ]
    before = [held.pop(name, None) for held, name in built]
    uploads_app().__dict__["gateway"] = gateway
    bucket_overview._watch.cache_clear()
    try:
        yield
    finally:
        bucket_overview._watch.cache_clear()
        for (held, name), value in zip(built, before, strict=True):
            held.pop(name, None)
            if value is not None:
                held[name] = value
