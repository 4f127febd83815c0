"""Hostile tokens and the reasons they are refused for, by the rules that ``accepting`` gives."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.servers.oidc import AUDIENCE, Issuer, SigningKey, encoded, forged, hmac_forged

STRANGER = SigningKey.make("ES256")
BRINGER = SigningKey.make("RS256")


def accepting(issuer: Issuer) -> dict[str, Any]:
    """The configuration of a bucket that takes this issuer's tokens; it signs with RS256."""
    return {
        "algorithms": ["RS256", "ES256", "EdDSA"],
        "jwks_url": issuer.jwks_url,
        "issuer": [issuer.url, "https://second.example"],
        "audience": [AUDIENCE, "second-name"],
        "leeway_seconds": 10,
        "groups_claim": "groups",
        "claims": ["department", "missing"],
    }


def pem_of(key: SigningKey) -> str:
    return key.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


Forge = Callable[[Issuer], str]


def claims(**changes: Any) -> Forge:
    return lambda i: i.token(**changes)


def header(**changes: Any) -> Forge:
    return lambda i: i.keys[-1].token(i.claims(), **changes)


def signed(payload: bytes) -> Forge:
    """Signed well, whatever the payload is."""
    return lambda i: jwt.PyJWS().encode(payload, i.keys[-1].key, "RS256", {"kid": i.keys[-1].key_id})


def altered(change: Callable[[list[str]], str]) -> Forge:
    return lambda i: change(i.token().split("."))


def with_header(raw: bytes) -> Forge:
    return altered(lambda s: f"{encoded(raw)}.{s[1]}.{s[2]}")


def public_pem(i: Issuer) -> bytes:
    return pem_of(i.keys[-1]).encode()


def as_hmac(key: Callable[[Issuer], bytes], **more: Any) -> Forge:
    """Algorithm confusion: an HMAC with what everybody knows."""
    return lambda i: hmac_forged({"alg": "HS256", "kid": i.keys[-1].key_id, **more}, i.claims(), key(i))


def spliced(i: Issuer) -> str:
    """The signature of one token under the claims of another."""
    head, _, signature = i.token("alice").split(".")
    return f"{head}.{encoded(i.claims('root'))}.{signature}"


def flipped(i: Issuer) -> str:
    head, payload, signature = i.token().split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[10] ^= 1
    return f"{head}.{payload}.{encoded(bytes(raw))}"


def duplicated(text: str) -> Forge:
    """A payload in which a member comes twice."""
    return lambda i: signed(json.dumps(i.claims())[:-1].encode() + f",{text}}}".encode())(i)


def embedded(name: str, value: Callable[[Issuer], Any]) -> Forge:
    """Signed by a stranger who brings his own key along."""
    return lambda i: jwt.encode(i.claims(), BRINGER.key, "RS256", {name: value(i)})


def deep(i: Issuer) -> str:
    return signed(b'{"sub":"a","x":' + b"[" * 2000 + b"]" * 2000 + b"}")(i)


HOSTILE: list[tuple[str, Forge, str]] = [
    # No signature, or one that proves nothing.
    ("none", lambda i: forged({"alg": "none"}, i.claims()), "algorithm not accepted"),
    ("none-upper", lambda i: forged({"alg": "NONE"}, i.claims()), "algorithm not accepted"),
    ("none-mixed", lambda i: forged({"alg": "nOnE"}, i.claims()), "algorithm not accepted"),
    ("none-signed", lambda i: forged({"alg": "none"}, i.claims(), b"x"), "algorithm not accepted"),
    ("no-alg", lambda i: forged({"typ": "JWT"}, i.claims()), "algorithm not accepted"),
    ("alg-null", lambda i: forged({"alg": None}, i.claims()), "algorithm not accepted"),
    ("alg-list", lambda i: forged({"alg": ["RS256"]}, i.claims()), "algorithm not accepted"),
    ("alg-object", lambda i: forged({"alg": {"x": 1}}, i.claims()), "algorithm not accepted"),
    ("alg-lower", lambda i: forged({"alg": "rs256"}, i.claims(), b"x"), "algorithm not accepted"),
    ("alg-unknown", lambda i: forged({"alg": "XS256"}, i.claims(), b"x"), "algorithm not accepted"),
    ("alg-not-allowed", lambda i: i.keys[-1].token(i.claims(), alg="RS512"), "algorithm not accepted"),
    ("signature-empty", altered(lambda s: f"{s[0]}.{s[1]}."), "signature not valid"),
    ("signature-flipped", flipped, "signature not valid"),
    ("signature-spliced", spliced, "signature not valid"),
    ("stranger", lambda i: STRANGER.token(i.claims()), "key unknown"),
    ("stranger-with-kid", lambda i: STRANGER.token(i.claims(), kid=i.keys[-1].key_id), "key unknown"),
    ("hmac-with-pem", as_hmac(public_pem), "algorithm not accepted"),
    ("hmac-with-nothing", as_hmac(lambda i: b""), "algorithm not accepted"),
    ("hmac-as-rs256", as_hmac(public_pem, alg="RS256"), "signature not valid"),
    ("rsa-as-es256", as_hmac(public_pem, alg="ES256"), "key unknown"),
    ("rsa-as-eddsa", as_hmac(public_pem, alg="EdDSA"), "key unknown"),
    # Names of keys.
    ("kid-unknown", header(kid="nobody"), "key unknown"),
    ("kid-path", header(kid="../../../../dev/null"), "key unknown"),
    ("kid-sql", header(kid="x' UNION SELECT 'key'; --"), "key unknown"),
    ("kid-command", header(kid="|touch /tmp/pwned"), "key unknown"),
    ("kid-url", header(kid="http://127.0.0.1:1/key"), "key unknown"),
    ("kid-newline", header(kid="a\r\nX: y"), "key unknown"),
    ("kid-nul", header(kid="\0"), "key unknown"),
    ("kid-huge", header(kid="k" * 257), "header not accepted"),
    ("kid-empty", header(kid=""), "header not accepted"),
    ("kid-number", lambda i: forged({"alg": "RS256", "kid": 7}, i.claims(), b"x"), "header not accepted"),
    ("kid-list", lambda i: forged({"alg": "RS256", "kid": []}, i.claims(), b"x"), "header not accepted"),
    # Keys that the token brings.
    ("jwk-embedded", embedded("jwk", lambda i: BRINGER.jwk()), "signature not valid"),
    ("jku-embedded", embedded("jku", lambda i: "https://evil.example/keys"), "signature not valid"),
    ("x5u-embedded", embedded("x5u", lambda i: "https://evil.example/cert"), "signature not valid"),
    ("x5c-embedded", embedded("x5c", lambda i: ["MIIB"]), "signature not valid"),
    # Headers that change the meaning.
    ("crit", lambda i: forged({"alg": "RS256", "crit": ["exp"]}, i.claims(), b"x"), "header not accepted"),
    ("crit-empty", lambda i: forged({"alg": "RS256", "crit": []}, i.claims(), b"x"), "header not accepted"),
    ("b64", lambda i: forged({"alg": "RS256", "b64": False}, i.claims(), b"x"), "header not accepted"),
    ("zip", lambda i: forged({"alg": "RS256", "zip": "DEF"}, i.claims(), b"x"), "header not accepted"),
    ("nested", header(cty="JWT"), "header not accepted"),
    ("typ-other", header(typ="dpop+jwt"), "type not accepted"),
    ("typ-logout", header(typ="logout+jwt"), "type not accepted"),
    ("typ-number", lambda i: forged({"alg": "RS256", "typ": 1}, i.claims(), b"x"), "type not accepted"),
    (
        "encrypted",
        lambda i: ".".join([encoded({"alg": "RSA-OAEP", "enc": "A256GCM"})] * 5),
        "encrypted token",
    ),
    # Forms.
    ("one-segment", lambda i: "abc", "malformed token"),
    ("two-segments", lambda i: forged({"alg": "RS256"}, {}).rpartition(".")[0], "malformed token"),
    ("four-segments", altered(lambda s: ".".join([*s, "x"])), "malformed token"),
    ("space-inside", altered(lambda s: f"{s[0]} .{s[1]}.{s[2]}"), "malformed token"),
    ("padded", altered(lambda s: f"{s[0]}=.{s[1]}.{s[2]}"), "malformed token"),
    ("plus-and-slash", altered(lambda s: f"{s[0]}.{s[1]}.+/{s[2]}"), "malformed token"),
    ("stray-bits", altered(lambda s: f"e31.{s[1]}.{s[2]}"), "malformed token"),
    ("non-ascii", altered(lambda s: f"{s[0]}.{s[1]}.ü{s[2]}"), "malformed token"),
    ("too-long", claims(padding="x" * 8192), "token too long"),
    ("header-no-json", with_header(b"nothing"), "malformed token"),
    ("header-list", lambda i: forged(["RS256"], i.claims(), b"x"), "malformed token"),
    ("header-twice", with_header(b'{"alg":"RS256","alg":"none"}'), "malformed token"),
    ("header-utf16", with_header("{}".encode("utf-16")), "malformed token"),
    ("header-bom", with_header(b"\xef\xbb\xbf{}"), "malformed token"),
    ("payload-no-json", signed(b"nothing"), "malformed token"),
    ("payload-list", signed(b"[]"), "malformed token"),
    ("payload-nan", duplicated('"x":NaN'), "malformed token"),
    ("payload-infinity", duplicated('"x":1e999'), "malformed token"),
    ("payload-surrogate", duplicated(r'"x":"\ud800"'), "malformed token"),
    ("payload-deep", deep, "malformed token"),
    ("payload-nested", duplicated('"x":' + "[" * 20 + "]" * 20), "malformed token"),
    ("sub-twice", duplicated('"sub":"root"'), "malformed token"),
    ("exp-twice", duplicated('"exp":9999999999'), "malformed token"),
    ("inner-twice", duplicated('"x":{"a":1,"a":2}'), "malformed token"),
    # Times.
    ("expired", claims(exp=time.time() - 60), "expired"),
    ("expired-long-ago", claims(exp=0), "expired"),
    ("exp-missing", claims(exp=None), "claim missing"),
    ("exp-null", lambda i: i.keys[-1].token(i.claims() | {"exp": None}), "claim not valid"),
    ("exp-text", claims(exp="9999999999"), "claim not valid"),
    ("exp-true", claims(exp=True), "expired"),
    ("exp-list", claims(exp=[9999999999]), "claim not valid"),
    ("exp-huge", claims(exp=10**300), "claim not valid"),
    ("exp-negative", claims(exp=-1), "expired"),
    ("not-yet", claims(nbf=time.time() + 86_400), "not yet valid"),
    ("nbf-text", claims(nbf="0"), "claim not valid"),
    ("nbf-huge", claims(nbf=10**300), "not yet valid"),
    ("from-the-future", claims(iat=time.time() + 86_400), "not yet valid"),
    ("iat-text", claims(iat="yesterday"), "claim not valid"),
    # Audience and issuer.
    ("aud-other", claims(aud="somebody-else"), "audience not accepted"),
    ("aud-missing", claims(aud=None), "claim missing"),
    ("aud-empty", claims(aud=""), "claim missing"),
    ("aud-empty-list", claims(aud=[]), "claim missing"),
    ("aud-others", claims(aud=["a", "b"]), "audience not accepted"),
    ("aud-prefix", claims(aud=AUDIENCE[:-1]), "audience not accepted"),
    ("aud-case", claims(aud=AUDIENCE.upper()), "audience not accepted"),
    ("aud-object", claims(aud={AUDIENCE: 1}), "audience not accepted"),
    ("aud-mixed-list", claims(aud=[AUDIENCE, 7]), "audience not accepted"),
    ("aud-nested-list", claims(aud=[[AUDIENCE]]), "audience not accepted"),
    ("aud-true", claims(aud=True), "audience not accepted"),
    ("iss-other", claims(iss="https://evil.example"), "issuer not accepted"),
    ("iss-missing", claims(iss=None), "claim missing"),
    ("iss-slash", lambda i: i.token(iss=i.url + "/"), "issuer not accepted"),
    (
        "iss-list",
        lambda i: signed(json.dumps(i.claims() | {"iss": [i.url]}).encode())(i),
        "issuer not accepted",
    ),
    # Subjects.
    ("sub-missing", claims(sub=None), "claim missing"),
    ("sub-empty", claims(sub=""), "subject not valid"),
    ("sub-space", claims(sub=" alice"), "subject not valid"),
    ("sub-number", lambda i: signed(json.dumps(i.claims() | {"sub": 7}).encode())(i), "subject not valid"),
    ("sub-list", lambda i: signed(json.dumps(i.claims() | {"sub": ["a"]}).encode())(i), "subject not valid"),
    ("sub-newline", claims(sub="alice\nroot"), "subject not valid"),
    ("sub-nul", claims(sub="alice\0"), "subject not valid"),
    ("sub-bidi", claims(sub="alice\u202eroot"), "subject not valid"),
    ("sub-long", claims(sub="a" * 256), "subject not valid"),
    # Groups.
    ("groups-object", claims(groups={"admin": True}), "claim not valid"),
    ("groups-numbers", claims(groups=[1, 2]), "claim not valid"),
    ("groups-many", claims(groups=["g"] * 201), "claim not valid"),
    ("jti-number", claims(jti=7), "claim not valid"),
]
