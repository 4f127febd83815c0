"""The verifiers of all buckets: one for each distinct rule, one cache of keys for each address."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from authz.config import BucketAuth, JwksConfig, JwtConfig

from .jwks_cache import JwksKeys
from .jwks_document import fetch_jwks
from .keys import KeySource, SingleKey, public_key, shared_secret
from .verifier import TokenVerifier

JwksCaches = dict[tuple[str, JwksConfig], JwksKeys]


def build_verifiers(buckets: Mapping[str, BucketAuth]) -> Mapping[JwtConfig, TokenVerifier]:
    """By rule, for the buckets that take tokens."""
    caches: JwksCaches = {}
    rules = {auth.jwt for auth in buckets.values() if auth.jwt is not None}
    return {rule: TokenVerifier(rule, _key_source(rule, caches)) for rule in rules}


def _key_source(rule: JwtConfig, caches: JwksCaches) -> KeySource:
    if rule.secret is not None:
        return SingleKey(shared_secret(rule.secret))
    if rule.public_key is not None:
        return SingleKey(public_key(rule.public_key))
    assert rule.jwks_url is not None
    place = (rule.jwks_url, rule.jwks)
    if place not in caches:
        caches[place] = _jwks(*place)
    return caches[place]


def _jwks(url: str, config: JwksConfig) -> JwksKeys:
    fetch = partial(fetch_jwks, url, timeout_seconds=config.timeout_seconds, ca_file=config.ca_file)
    return JwksKeys(url.partition("?")[0], fetch, config)
