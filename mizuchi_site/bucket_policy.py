"""What a bucket's ``authz`` section says, as the authz room is told it."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import SecretStr

from authz.config import OpaConfig, OpenFgaConfig, PolicyBreakerConfig, PolicyConfig
from mizuchi_site.config.buckets import BucketSection
from mizuchi_site.config.policy import AuthzSection, OpaSection, OpenFgaSection


def policies(buckets: Iterable[BucketSection]) -> dict[str, PolicyConfig]:
    """The policies by bucket, of those that have one."""
    return {bucket.name: _policy(bucket.authz) for bucket in buckets if bucket.authz is not None}


def _policy(section: AuthzSection) -> PolicyConfig:
    return PolicyConfig(
        mode=section.mode,
        opa=None if section.opa is None else _opa(section.opa),
        openfga=None if section.openfga is None else _openfga(section.openfga),
        fails_open=section.fails_open,
        breaker=PolicyBreakerConfig(section.breaker.failures, section.breaker.reset_seconds),
    )


def _opa(section: OpaSection) -> OpaConfig:
    return OpaConfig(
        url=section.url,
        path=section.path,
        token=_revealed(section.token),
        ca_file=section.ca_file,
        timeout_seconds=section.timeout_seconds,
        cache_ttl_seconds=section.cache_ttl_seconds,
    )


def _openfga(section: OpenFgaSection) -> OpenFgaConfig:
    return OpenFgaConfig(
        url=section.url,
        store_id=section.store_id,
        model_id=section.model_id,
        relation=section.relation,
        relations=dict(section.relations),
        objects=section.object,
        user=section.user,
        group=section.group,
        group_relation=section.group_relation,
        api_token=_revealed(section.api_token),
        ca_file=section.ca_file,
        timeout_seconds=section.timeout_seconds,
        cache_ttl_seconds=section.cache_ttl_seconds,
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
