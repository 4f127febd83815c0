"""Builds engines from configuration; buckets that ask the same one share it, its answers and its breaker."""

from __future__ import annotations

from collections.abc import Mapping

from authz.config import OpaConfig, OpenFgaConfig, PolicyBreakerConfig, PolicyConfig

from .base import Engine
from .bucket_policy import BucketPolicy
from .guarded import GuardedEngine
from .opa import Opa
from .openfga import OpenFga

EngineConfig = OpaConfig | OpenFgaConfig


def build_engine(config: EngineConfig) -> Engine:
    """The bare engine, as commands ask it."""
    match config:
        case OpaConfig():
            return Opa(config)
        case OpenFgaConfig():
            return OpenFga(config)


def engine_configs(policy: PolicyConfig) -> tuple[EngineConfig, ...]:
    """The engines of a policy, in the order in which they are asked."""
    return tuple(config for config in (policy.opa, policy.openfga) if config is not None)


def build_policies(configs: Mapping[str, PolicyConfig]) -> dict[str, BucketPolicy]:
    """A policy for each bucket that has one."""
    built: list[tuple[EngineConfig, PolicyBreakerConfig, GuardedEngine]] = []

    def engine_of(config: EngineConfig, breaker: PolicyBreakerConfig) -> GuardedEngine:
        for known, known_breaker, engine in built:
            if (known, known_breaker) == (config, breaker):
                return engine
        engine = GuardedEngine(
            build_engine(config), cache_ttl_seconds=config.cache_ttl_seconds, breaker=breaker
        )
        built.append((config, breaker, engine))
        return engine

    return {
        bucket: BucketPolicy(policy, [engine_of(each, policy.breaker) for each in engine_configs(policy)])
        for bucket, policy in configs.items()
    }
