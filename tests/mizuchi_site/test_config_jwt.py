"""What ``auth.jwt`` and its neighbours may say, what not, and what the authz room is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from authz.config import BucketAuth, JwksConfig, JwtConfig, TokenSource
from mizuchi_site.bucket_auth import bucket_auth
from mizuchi_site.config import ConfigError, load_config
from mizuchi_site.config.render import MASK, as_lines

SECRET = "correct-horse-battery-staple-0123456789-correct-horse-battery-sta"
KEY = ec.generate_private_key(ec.SECP256R1())
JWKS: dict[str, Any] = {
    "algorithms": ["ES256"],
    "jwks_url": "https://id.example/keys",
    "issuer": "https://id.example",
    "audience": "uploads",
}
SHARED: dict[str, Any] = {"algorithms": ["HS256"], "secret": SECRET}


def pem(key: Any) -> str:
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = pem(KEY)


def load(folder: Path, auth: dict[str, Any], **sections: Any) -> Any:
    file = folder / "config.yaml"
    storages = {"local": {"backend": "filesystem", "location": "var/x"}}
    bucket = {"name": "abc", "storage": "local", "auth": auth}
    file.write_text(json.dumps({"storages": storages, "buckets": [bucket], **sections}))
    return load_config(file, {"SECRET": SECRET})


def told(folder: Path, auth: dict[str, Any]) -> BucketAuth:
    return bucket_auth(load(folder, auth).config.buckets[0].auth)


def test_everything_is_told(tmp_path: Path) -> None:
    jwt = JWKS | {
        "jwks": {"timeout_seconds": 1, "refresh_seconds": 20, "refetch_seconds": 2, "stale_seconds": 30},
        "issuer": ["https://a.example", "https://b.example"],
        "leeway_seconds": 5,
        "required_claims": ["tenant"],
        "subject_claim": "email",
        "groups_claim": "groups",
        "claims": ["tenant", "department"],
        "sources": ["bearer", {"query": "token"}, {"header": "X-Auth-Token"}],
    }

    assert told(tmp_path, {"jwt": jwt, "key_template": "users/{subject}/"}) == BucketAuth(
        jwt=JwtConfig(
            algorithms=("ES256",),
            jwks_url="https://id.example/keys",
            jwks=JwksConfig(1, 20, 2, 30),
            issuers=("https://a.example", "https://b.example"),
            audiences=("uploads",),
            leeway_seconds=5,
            required_claims=("tenant",),
            subject_claim="email",
            groups_claim="groups",
            claims=("tenant", "department"),
            sources=(
                TokenSource("bearer"),
                TokenSource("query", "token"),
                TokenSource("header", "x-auth-token"),
            ),
        ),
        key_template="users/{subject}/",
    )


def test_the_defaults_are_those_of_the_room(tmp_path: Path) -> None:
    expected = JwtConfig(
        algorithms=("ES256",),
        jwks_url="https://id.example/keys",
        issuers=("https://id.example",),
        audiences=("uploads",),
    )

    assert told(tmp_path, {"jwt": JWKS}).jwt == expected


@pytest.mark.parametrize("is_file", [False, True], ids=["text", "file"])
def test_a_public_key_is_text_or_a_file(is_file: bool, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PUBLIC)
    given = str(tmp_path / "key.pem") if is_file else PUBLIC

    rule = told(tmp_path, {"jwt": {"algorithms": ["ES256"], "public_key": given}}).jwt

    assert rule is not None
    assert rule.public_key == PUBLIC


@pytest.mark.parametrize(
    "jwt",
    [
        SHARED,
        SHARED | {"secret": "${SECRET}"},
        SHARED | {"algorithms": ["HS256", "HS512"]},
        JWKS | {"audience": []},
        JWKS | {"audience": ["a", "b"]},
        JWKS | {"jwks_url": "http://127.0.0.1:8000/keys"},
        JWKS | {"jwks_url": "http://[::1]/keys"},
        JWKS | {"jwks_url": "http://localhost/keys?tenant=1"},
        JWKS | {"sources": [{"query": "jwt"}]},
    ],
    ids=["secret", "variable", "hs512", "no-audience", "audiences", "loopback", "ipv6", "localhost", "query"],
)
def test_what_loads(jwt: dict[str, Any], tmp_path: Path) -> None:
    assert told(tmp_path, {"jwt": jwt, "sigv4": {"enabled": False}}).jwt is not None


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in JWKS.items() if key != name}


JWT = "buckets[0].auth.jwt"
FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("empty", {}, f"{JWT}.algorithms", "is required"),
    ("no-algorithm", JWKS | {"algorithms": []}, f"{JWT}.algorithms", "must not be empty"),
    ("none", JWKS | {"algorithms": ["none"]}, f"{JWT}.algorithms[0]", "must be 'HS256'"),
    ("es256k", JWKS | {"algorithms": ["ES256K"]}, f"{JWT}.algorithms[0]", "must be 'HS256'"),
    ("no-key", {"algorithms": ["ES256"]}, JWT, "needs one of secret, public_key and jwks_url"),
    ("two-keys", JWKS | {"secret": SECRET}, JWT, "needs one of secret, public_key and jwks_url"),
    ("hs-with-jwks", JWKS | {"algorithms": ["ES256", "HS256"]}, JWT, "a public key must never serve as one"),
    ("hs-with-pem", {"algorithms": ["HS256"], "public_key": PUBLIC}, JWT, "must never serve as one"),
    ("rs-with-secret", SHARED | {"algorithms": ["HS256", "RS256"]}, JWT, "with secret: HS256, HS384, HS512"),
    ("rs-with-ec", {"algorithms": ["RS256"], "public_key": PUBLIC}, JWT, "it can: ES256"),
    ("secret-short", SHARED | {"secret": SECRET[:31]}, JWT, "at least 32 bytes"),
    ("secret-short-for-512", {"algorithms": ["HS512"], "secret": SECRET[:63]}, JWT, "at least 64 bytes"),
    ("secret-monotonous", SHARED | {"secret": "abc" * 20}, JWT, "10 of them different"),
    ("secret-empty", SHARED | {"secret": ""}, f"{JWT}.secret", "must not be empty"),
    ("secret-is-pem", SHARED | {"secret": PUBLIC}, JWT, "give it as public_key"),
    ("private", {"algorithms": ["ES256"], "public_key": PRIVATE}, f"{JWT}.public_key", "openssl pkey"),
    (
        "certificate",
        {"algorithms": ["ES256"], "public_key": "-----BEGIN CERTIFICATE-----\nx"},
        f"{JWT}.public_key",
        "openssl x509",
    ),
    (
        "ssh-key",
        {"algorithms": ["ES256"], "public_key": "ssh-rsa AAAA"},
        f"{JWT}.public_key",
        "a file that can",
    ),
    (
        "no-file",
        {"algorithms": ["ES256"], "public_key": "no/such.pem"},
        f"{JWT}.public_key",
        "a file that can",
    ),
    ("binary", {"algorithms": ["ES256"], "public_key": "/bin/true"}, f"{JWT}.public_key", "a file that can"),
    (
        "rsa-short",
        {"algorithms": ["RS256"], "public_key": pem(rsa.generate_private_key(65537, 1024))},
        f"{JWT}.public_key",
        "RSA of 2048 bits or more",
    ),
    (
        "curve-other",
        {"algorithms": ["ES256"], "public_key": pem(ec.generate_private_key(ec.SECP256K1()))},
        f"{JWT}.public_key",
        "P-256, P-384, P-521",
    ),
    (
        "dsa",
        {"algorithms": ["ES256"], "public_key": pem(dsa.generate_private_key(2048))},
        f"{JWT}.public_key",
        "Ed25519",
    ),
    ("http", JWKS | {"jwks_url": "http://id.example/keys"}, f"{JWT}.jwks_url", "must be https"),
    ("http-private", JWKS | {"jwks_url": "http://10.0.0.1/keys"}, f"{JWT}.jwks_url", "must be https"),
    ("url-relative", JWKS | {"jwks_url": "/keys"}, f"{JWT}.jwks_url", "must be a URL"),
    ("url-file", JWKS | {"jwks_url": "file:///etc/keys"}, f"{JWT}.jwks_url", "must be a URL"),
    ("url-login", JWKS | {"jwks_url": "https://u:p@id.example/"}, f"{JWT}.jwks_url", "without login"),
    ("url-port", JWKS | {"jwks_url": "https://id.example:99999/"}, f"{JWT}.jwks_url", "must be a URL"),
    ("url-space", JWKS | {"jwks_url": "https://id.example/a b"}, f"{JWT}.jwks_url", "must be a URL"),
    ("no-issuer", without("issuer"), JWT, "needs issuer and audience"),
    ("issuer-empty", JWKS | {"issuer": []}, JWT, "needs issuer and audience"),
    ("no-audience", without("audience"), JWT, "audience: []"),
    ("leeway", JWKS | {"leeway_seconds": 3600}, f"{JWT}.leeway_seconds", "must be at most 300"),
    (
        "jwks-order",
        JWKS | {"jwks": {"stale_seconds": 100}},
        f"{JWT}.jwks",
        "refresh_seconds <= stale_seconds",
    ),
    ("source-unknown", JWKS | {"sources": ["cookie"]}, f"{JWT}.sources[0]", "must be bearer, {query: NAME}"),
    (
        "source-two",
        JWKS | {"sources": [{"query": "a", "header": "b"}]},
        f"{JWT}.sources[0]",
        "must be bearer",
    ),
    ("no-source", JWKS | {"sources": []}, f"{JWT}.sources", "must not be empty"),
    ("source-twice", JWKS | {"sources": ["bearer", "bearer"]}, JWT, "has a source twice"),
    ("header-twice", JWKS | {"sources": [{"header": "x-a"}, {"header": "X-A"}]}, JWT, "has a source twice"),
    *(
        (
            f"query-{name}",
            JWKS | {"sources": [{"query": name}]},
            f"{JWT}.sources[0]",
            "that S3 has a meaning for",
        )
        for name in (
            "X-Amz-Signature",
            "x-amz-token",
            "uploadId",
            "partNumber",
            "uploads",
            "acl",
            "Signature",
            "delete",
        )
    ),
    *(
        (f"header-{name}", JWKS | {"sources": [{"header": name}]}, f"{JWT}.sources[0]", "choose another name")
        for name in (
            "Authorization",
            "cookie",
            "X-Amz-Meta-Token",
            "content-type",
            "traceparent",
            "x_token",
            "Host",
        )
    ),
    ("query-odd", JWKS | {"sources": [{"query": "a&b"}]}, f"{JWT}.sources[0]", "must name it in 1 to 64"),
    ("unknown-key", JWKS | {"audiences": "x"}, f"{JWT}.audiences", "did you mean audience?"),
]


@pytest.mark.parametrize(("jwt", "path", "message"), [pytest.param(*row[1:], id=row[0]) for row in FAULTS])
def test_what_does_not_load(jwt: dict[str, Any], path: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {"jwt": jwt})

    (fault,) = [str(fault) for fault in caught.value.faults]
    assert fault.startswith(f"{path}: ")
    assert message in fault
    assert SECRET[:20] not in fault
    assert PRIVATE.splitlines()[1] not in fault


@pytest.mark.parametrize(
    ("auth", "path", "message"),
    [
        ({"sigv4": {"enabled": False}}, "buckets[0].auth", "lets nobody in; enable sigv4, jwt or anonymous"),
        (
            {"anonymous": True, "key_template": "users/{subject}/"},
            "buckets[0].auth",
            "anonymous callers have no subject",
        ),
        ({"key_template": "users/{subject}"}, "buckets[0].auth.key_template", "right before a slash"),
        ({"key_template": "users/{subject}/x"}, "buckets[0].auth.key_template", "must be a folder"),
        ({"key_template": "../{subject}/"}, "buckets[0].auth.key_template", "must be a relative path"),
        ({"key_template": "a//{subject}/"}, "buckets[0].auth.key_template", "must be a relative path"),
        ({"key_template": "{subject}/"}, "buckets[0].auth.key_template", "which traces would show"),
        ({"key_template": "u-{subject}/"}, "buckets[0].auth.key_template", "which traces would show"),
    ],
)
def test_what_else_does_not_load(auth: dict[str, Any], path: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, auth)

    (fault,) = [str(fault) for fault in caught.value.faults]
    assert fault.startswith(f"{path}: ")
    assert message in fault


def test_a_template_may_begin_with_the_subject_where_traces_show_hashes(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"key_template": "{subject}/"}, tracing={"redaction": {"keys": "hash"}})

    assert loaded.config.buckets[0].auth.key_template == "{subject}/"


@pytest.mark.parametrize(
    ("principal", "whose"),
    [
        ("jwt:https://id#alice", "callers with a token"),
        ("user:alice", "staff who upload in the browser"),
    ],
)
def test_no_access_key_passes_for_another_kind_of_caller(principal: str, whose: str, tmp_path: Path) -> None:
    key = {"access_key_id": "AK1", "secret_access_key": SECRET[:40], "principal": principal}

    with pytest.raises(ConfigError, match=f"so begin the names of {whose}"):
        load(tmp_path, {}, access_keys=[key])


def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    shown = "\n".join(as_lines(load(tmp_path, {"jwt": SHARED})))

    assert SECRET not in shown
    assert f'buckets[0].auth.jwt.secret = "{MASK}"' in shown
