"""Session tokens: nobody else makes them, moves them or goes on with them when they are over."""

from __future__ import annotations

import base64
import os
import re

import pytest

from authz.config import BucketAuth, JwtConfig
from authz.errors import AccessDenied, AuthError, ExpiredToken, InvalidToken
from authz.identity import Identity
from authz.sts.caller import session_identity
from authz.sts.errors import SessionTooLarge
from authz.sts.exchange import fingerprint
from authz.sts.session import MAX_TOKEN_CHARACTERS, Grant, Session, SessionSealer

OLD, NEW = b"o" * 32, b"n" * 32
RULE = JwtConfig(algorithms=("HS256",), secret="s" * 32, claims=("tenant",))
OTHER_RULE = JwtConfig(algorithms=("HS256",), secret="t" * 32)
SESSION = Session(
    expires_at=1000,
    grants=(
        Grant(fingerprint(OTHER_RULE), "elsewhere", "alice@example.org"),
        Grant(fingerprint(RULE), "idp", "alice", ("staff",), {"tenant": {"id": 7}}),
    ),
    prefixes={"uploads": ("in/", "out/"), "asked": ()},
)
ID = "MZABCDEFGHIJKLMNOPQR"


def test_a_session_comes_out_as_it_went_in() -> None:
    token, secret = SessionSealer([NEW]).seal(ID, SESSION)

    opened = SessionSealer([NEW]).open(ID, token)

    assert opened.session == SESSION
    assert opened.secret == secret
    assert re.fullmatch(r"[A-Za-z0-9_-]{40}", secret)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert len(token) < 1024
    assert secret not in f"{opened!r}"


def test_every_session_has_a_secret_of_its_own() -> None:
    sealer = SessionSealer([NEW])

    assert sealer.seal(ID, SESSION)[1] != sealer.seal(ID + "X", SESSION)[1]
    assert sealer.seal(ID, SESSION)[0] != sealer.seal(ID, SESSION)[0]


def test_keys_are_rotated() -> None:
    token, secret = SessionSealer([OLD]).seal(ID, SESSION)

    assert SessionSealer([NEW, OLD]).open(ID, token).secret == secret
    with pytest.raises(InvalidToken):
        SessionSealer([NEW]).open(ID, token)


def changed(token: str, position: int) -> str:
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[position] ^= 1
    return base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()


def test_no_other_token_opens() -> None:
    sealer = SessionSealer([NEW])
    token, _ = sealer.seal(ID, SESSION)
    forgeries = [
        "",
        "x",
        token[:-1],
        token + "A",
        token + "=",
        token.replace("-", "+").replace("_", "/") + "+",
        "ü" + token[1:],
        "A" * MAX_TOKEN_CHARACTERS,
        "A" * (MAX_TOKEN_CHARACTERS + 1),
        base64.urlsafe_b64encode(os.urandom(200)).decode(),
        *(changed(token, position) for position in range(0, 60, 3)),
        changed(token, -1),
    ]
    for forgery in forgeries:
        with pytest.raises(InvalidToken):
            sealer.open(ID, forgery)
    with pytest.raises(InvalidToken):
        sealer.open(ID + "X", token)


def test_a_token_fits_into_requests_or_is_not_made() -> None:
    groups = tuple(os.urandom(16).hex() for _ in range(200))
    grant = Grant("rule", "idp", "alice", groups)

    with pytest.raises(SessionTooLarge):
        SessionSealer([NEW]).seal(ID, Session(1000, (grant,)))


def identity(session: Session, bucket: str | None, rules: BucketAuth, now: float = 0) -> Identity:
    return session_identity(session, access_key_id=ID, method="sigv4", bucket=bucket, rules=rules, now=now)


def test_a_session_says_who_it_is_by_the_rule_of_the_bucket() -> None:
    one = identity(SESSION, "uploads", BucketAuth(jwt=RULE))
    other = identity(SESSION, "uploads", BucketAuth(jwt=OTHER_RULE))

    assert (one.principal, one.subject, one.groups) == ("jwt:idp#alice", "alice", ("staff",))
    assert (one.claims, one.access_key_id, one.method) == ({"tenant": {"id": 7}}, ID, "sigv4")
    assert (other.principal, other.groups) == ("jwt:elsewhere#alice@example.org", ())


@pytest.mark.parametrize(
    ("bucket", "key", "is_allowed"),
    [
        ("uploads", "in/x", True),
        ("uploads", "out/", True),
        ("uploads", "inn/x", False),
        ("uploads", "x", False),
        ("uploads", None, True),
        ("asked", None, True),
        ("asked", "x", False),
    ],
)
def test_a_policy_narrows(bucket: str, key: str | None, is_allowed: bool) -> None:
    assert identity(SESSION, bucket, BucketAuth(jwt=RULE)).scope.allows(bucket, key) == is_allowed


def test_without_a_policy_a_session_reaches_one_bucket_at_a_time() -> None:
    scope = identity(Session(1000, SESSION.grants), "any", BucketAuth(jwt=RULE)).scope

    assert scope.allows("any", "x")
    assert not scope.allows("other", "x")


def test_a_template_narrows_sessions_too() -> None:
    rules = BucketAuth(jwt=RULE, key_template="in/{subject}/")

    scope = identity(SESSION, "uploads", rules).scope

    assert scope.allows("uploads", "in/alice/x")
    assert not scope.allows("uploads", "in/bob/x")
    assert not scope.allows("uploads", "out/x")


@pytest.mark.parametrize(
    ("bucket", "rules", "now", "error"),
    [
        ("uploads", BucketAuth(jwt=RULE), 1000, ExpiredToken),
        ("elsewhere", BucketAuth(jwt=RULE), 0, AccessDenied),
        ("uploads", BucketAuth(), 0, AccessDenied),
        ("uploads", BucketAuth(jwt=JwtConfig(algorithms=("HS256",), secret="u" * 32)), 0, AccessDenied),
        (None, BucketAuth(jwt=RULE), 0, AccessDenied),
    ],
    ids=["over", "not-in-policy", "no-tokens-any-more", "other-rule", "no-bucket"],
)
def test_where_a_session_is_not_good(
    bucket: str | None, rules: BucketAuth, now: float, error: type[AuthError]
) -> None:
    with pytest.raises(error):
        identity(SESSION, bucket, rules, now)
