"""Django system checks of who may upload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Warning

from authz.apps import authz_app
from authz.config import OpaConfig, PolicyConfig
from authz.policy.factory import engine_configs
from tracing_app.loopback import is_loopback


def check_anonymous_buckets(**kwargs: Any) -> list[CheckMessage]:
    """mizuchi.W001: a bucket that takes uploads from anybody."""
    return [
        Warning(
            f"Bucket {name!r} takes uploads from anybody who reaches the gateway.",
            hint="Set auth.anonymous to false, or limit max_object_bytes, content_types and key_pattern.",
            id="mizuchi.W001",
        )
        for name, rules in authz_app().config.buckets.items()
        if rules.anonymous
    ]


def check_policies(**kwargs: Any) -> list[CheckMessage]:
    """mizuchi.W003 to W006: policies that are weaker than they look."""
    config = authz_app().config
    messages: list[CheckMessage] = []
    for bucket, policy in config.policies.items():
        messages += _open_failures(bucket, policy)
        messages += _plain_tokens(bucket, policy)
        messages += _unobeyed_policies(bucket, policy)
        rules = config.buckets.get(bucket)
        if rules is not None and rules.jwt is not None and (rules.sigv4 or rules.anonymous):
            messages += _ambiguous_subjects(bucket, policy)
    return messages


def _open_failures(bucket: str, policy: PolicyConfig) -> Iterator[CheckMessage]:
    if policy.fails_open and policy.mode != "shadow":
        yield Warning(
            f"Bucket {bucket!r} lets callers in whom its engines would refuse, whenever they are down.",
            hint="Set authz.fails_open to false: uploads are then refused with 503 until an engine answers.",
            id="mizuchi.W003",
        )


def _plain_tokens(bucket: str, policy: PolicyConfig) -> Iterator[CheckMessage]:
    for engine in engine_configs(policy):
        name, token = (
            ("opa", engine.token) if isinstance(engine, OpaConfig) else ("openfga", engine.api_token)
        )
        parts = urlsplit(engine.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            carried = "its token and every question" if token else "every question"
            yield Warning(
                f"Bucket {bucket!r} asks {name} over http: whoever is on the way reads {carried}.",
                hint=f"Give authz.{name}.url an https address, or one of this machine.",
                id="mizuchi.W004",
            )


def _unobeyed_policies(bucket: str, policy: PolicyConfig) -> Iterator[CheckMessage]:
    if policy.mode == "shadow":
        yield Warning(
            f"Bucket {bucket!r} asks its policy engines and does not obey them (shadow).",
            hint="Set authz.mode to all_of or any_of once the recorded decisions are right.",
            id="mizuchi.W005",
        )


def _ambiguous_subjects(bucket: str, policy: PolicyConfig) -> Iterator[CheckMessage]:
    if policy.openfga is not None and "{subject}" in policy.openfga.user:
        yield Warning(
            f"Bucket {bucket!r} takes tokens beside other callers, and tells OpenFGA only the subject: a "
            "token whose subject is spelled like an access key's principal has that key's rights.",
            hint="Use {principal} in authz.openfga.user, which is unique over all ways to authenticate.",
            id="mizuchi.W006",
        )
