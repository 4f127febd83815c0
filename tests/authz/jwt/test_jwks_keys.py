"""The keys behind a URL: when they are fetched, how long they serve, and what the endpoint may do."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from authz.config import JwksConfig
from authz.errors import TokenKeysUnavailable
from authz.jwt.jwks import parse_jwks
from authz.jwt.jwks_cache import JwksKeys
from authz.jwt.jwks_document import JwksUnreachable, fetch_jwks
from authz.jwt.token import UnverifiedToken
from tests.servers.oidc import Behaviour, Issuer, SigningKey, running_issuer

CONFIG = JwksConfig(timeout_seconds=0.5, refresh_seconds=100, refetch_seconds=10, stale_seconds=1000)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> JwksKeys:
    return keys_of(issuer, clock)


def keys_of(issuer: Issuer, clock: Clock, config: JwksConfig = CONFIG) -> JwksKeys:
    fetch = partial(fetch_jwks, issuer.jwks_url, timeout_seconds=config.timeout_seconds)
    return JwksKeys("the issuer", fetch, config, clock=clock)


def token(key: SigningKey | str, algorithm: str = "ES256") -> UnverifiedToken:
    return UnverifiedToken("", algorithm, key if isinstance(key, str) else key.key_id)


def test_keys_are_fetched_once_and_kept(issuer: Issuer, keys: JwksKeys) -> None:
    for _ in range(3):
        (found,) = keys.keys_for(token(issuer.keys[0]))
        assert found.key_id == issuer.keys[0].key_id

    assert issuer.fetches == 1


def test_an_unknown_key_id_is_asked_about_at_most_once_in_an_interval(
    issuer: Issuer, keys: JwksKeys, clock: Clock
) -> None:
    keys.keys_for(token(issuer.keys[0]))
    clock.now = 10
    for number in range(20):
        assert keys.keys_for(token(f"invented-{number}")) == ()
    assert issuer.fetches == 2

    clock.now = 20
    assert keys.keys_for(token("invented")) == ()
    assert issuer.fetches == 3


def test_a_new_key_is_found_when_its_first_token_comes(issuer: Issuer, keys: JwksKeys, clock: Clock) -> None:
    keys.keys_for(token(issuer.keys[0]))
    new = issuer.rotate()
    clock.now = 10

    assert keys.keys_for(token(new))
    assert keys.keys_for(token(issuer.keys[0]))
    assert issuer.fetches == 2


def test_a_key_that_was_withdrawn_stops_working_when_keys_are_refreshed(
    issuer: Issuer, keys: JwksKeys, clock: Clock
) -> None:
    old = issuer.keys[0]
    keys.keys_for(token(old))
    issuer.rotate(keep=0)
    clock.now = 100
    assert keys.keys_for(token(old))

    clock.now = 101
    assert keys.keys_for(token(old)) == ()


@pytest.mark.parametrize(
    "behaviour", ["down", "slow", "drip", "garbage", "error", "redirect", "huge", "empty"]
)
def test_keys_serve_within_a_bound_while_the_endpoint_misbehaves(
    behaviour: Behaviour, issuer: Issuer, keys: JwksKeys, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    key = token(issuer.keys[0])
    keys.keys_for(key)
    issuer.behaviour = behaviour
    for clock.now in (101.0, 500.0, 999.0, 1000.0):
        assert keys.keys_for(key)
    with pytest.raises(TokenKeysUnavailable):
        keys.keys_for(token("unknown: nobody can be asked"))

    clock.now = 1001
    with pytest.raises(TokenKeysUnavailable):
        keys.keys_for(key)

    issuer.behaviour = "ok"
    clock.now = 1011
    assert keys.keys_for(key)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


@pytest.mark.parametrize(
    "behaviour", ["down", "slow", "drip", "garbage", "error", "redirect", "huge", "empty"]
)
def test_without_keys_nobody_gets_in_and_the_endpoint_is_not_besieged(
    behaviour: Behaviour, issuer: Issuer, keys: JwksKeys, clock: Clock
) -> None:
    issuer.behaviour = behaviour
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(TokenKeysUnavailable) as refused:
            keys.keys_for(token(issuer.keys[0]))

    assert time.monotonic() - began < 4 * CONFIG.timeout_seconds
    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers
    assert issuer.fetches == 1

    issuer.behaviour = "ok"
    clock.now = 10
    assert keys.keys_for(token(issuer.keys[0]))


def test_nobody_listens(clock: Clock) -> None:
    with running_issuer() as gone:
        pass

    with pytest.raises(TokenKeysUnavailable):
        keys_of(gone, clock).keys_for(token("k"))


def test_many_threads_make_one_fetch(issuer: Issuer, clock: Clock) -> None:
    issuer.behaviour, issuer.slow_seconds = "slow", 0.2
    keys = keys_of(issuer, clock, replace(CONFIG, timeout_seconds=5))
    start = threading.Barrier(16)

    def ask(_: int) -> int:
        start.wait()
        return len(keys.keys_for(token(issuer.keys[0])))

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(16))) == [1] * 16
    assert issuer.fetches == 1


def test_who_has_keys_does_not_wait_for_their_refresh(issuer: Issuer, clock: Clock) -> None:
    keys = keys_of(issuer, clock, replace(CONFIG, timeout_seconds=30))
    key = token(issuer.keys[0])
    keys.keys_for(key)
    issuer.behaviour, issuer.slow_seconds = "slow", 60
    clock.now = 101
    refreshing = threading.Thread(target=keys.keys_for, args=(key,))
    refreshing.start()
    while issuer.fetches < 2:
        time.sleep(0.01)

    assert keys.keys_for(key)
    assert refreshing.is_alive()
    issuer.keys.clear()


def test_the_answer_is_taken_over_tls_only_from_who_is_trusted(issuer: Issuer) -> None:
    with pytest.raises(JwksUnreachable):
        fetch_jwks(issuer.jwks_url.replace("http:", "https:"), timeout_seconds=2)


RSA, EC, ED = (SigningKey.make(algorithm) for algorithm in ("RS256", "ES256", "EdDSA"))


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        (RSA.jwk(), {"RS256"}),
        (RSA.jwk(alg=None), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (RSA.jwk(alg="PS512"), {"PS512"}),
        (EC.jwk(alg=None, use=None), {"ES256"}),
        (ED.jwk(alg=None), {"EdDSA"}),
        (EC.jwk(key_ops=["verify"]), {"ES256"}),
    ],
    ids=["alg", "no-alg", "pss", "no-use", "ed25519", "key-ops"],
)
def test_what_a_key_may_verify(jwk: dict[str, Any], algorithms: set[str]) -> None:
    (key,) = parse_jwks(json.dumps({"keys": [jwk]}).encode())

    assert key.algorithms == algorithms


UNUSABLE: dict[str, Any] = {
    "for-encryption": EC.jwk(use="enc"),
    "operations-other": EC.jwk(key_ops=["encrypt"]),
    "operations-text": EC.jwk(key_ops="verify"),
    "private": EC.jwk(d="private"),
    "alg-of-another-type": EC.jwk(alg="RS256"),
    "alg-hmac": EC.jwk(alg="HS256"),
    "alg-none": EC.jwk(alg="none"),
    "alg-list": EC.jwk(alg=["ES256"]),
    "curve-not-taken": EC.jwk(crv="secp256k1"),
    "curve-unknown": EC.jwk(crv="P-999"),
    "point-not-on-curve": EC.jwk(x="AA"),
    "point-incomplete": EC.jwk(y=None),
    "kid-number": EC.jwk(kid=7),
    "kid-empty": EC.jwk(kid=""),
    "kid-huge": EC.jwk(kid="k" * 257),
    "symmetric": EC.jwk(kty="oct", k="c2VjcmV0"),
    "no-type": EC.jwk(kty=None),
    "type-list": EC.jwk(kty=["EC"]),
    "rsa-short": RSA.jwk(n="AQAB"),
    "rsa-incomplete": RSA.jwk(e=None),
    "x25519": ED.jwk(crv="X25519"),
    "text": "text",
    "null": None,
}


@pytest.mark.parametrize("jwk", [pytest.param(jwk, id=name) for name, jwk in UNUSABLE.items()])
def test_keys_that_cannot_verify_are_passed_over(jwk: Any) -> None:
    (key,) = parse_jwks(json.dumps({"keys": [jwk, RSA.jwk()]}).encode())

    assert key.key_id == RSA.key_id


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b"\xff",
        json.dumps({"keys": [RSA.jwk()] * 65}).encode(),
    ],
    ids=["nothing", "list", "no-keys", "object", "none", "no-text", "too-many"],
)
def test_what_is_no_set_of_keys(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the reader has one error
        parse_jwks(document)
