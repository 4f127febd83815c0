"""AssumeRoleWithWebIdentity: its parameters, its policy, and which tokens are exchanged for what."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from authz.config import BucketAuth, JwtConfig
from authz.jwt.rules import build_verifiers
from authz.sts.errors import (
    ExchangeDenied,
    IdentityTokenExpired,
    IdentityTokenRefused,
    InvalidAction,
    InvalidParameter,
    IssuerUnreachable,
    MalformedPolicy,
    MissingAction,
    SessionTooLarge,
    StsError,
)
from authz.sts.exchange import TokenExchange
from authz.sts.request import AssumeRole, parse_assume_role, parse_parameters
from authz.sts.session import SessionSealer
from authz.sts.session_policy import parse_session_policy
from tests.servers.oidc import AUDIENCE, Issuer, running_issuer

ASKED = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "WebIdentityToken": "a.b.c"}
ROLE = "arn:aws:iam::123456789012:role/path/uploader"


def test_everything_a_client_says_is_read() -> None:
    asked = parse_assume_role(
        ASKED | {"RoleArn": ROLE, "RoleSessionName": "me@example.org", "DurationSeconds": "900"}
    )

    assert asked == AssumeRole("a.b.c", ROLE, "me@example.org", 900)
    assert asked.assumed_role_arn == "arn:aws:sts::123456789012:assumed-role/uploader/me@example.org"


def test_only_the_token_must_be_there() -> None:
    asked = parse_assume_role(ASKED)

    assert asked.duration_seconds is None
    assert asked.assumed_role_arn == "arn:aws:sts::000000000000:assumed-role/mizuchi/mizuchi"


def test_query_and_form_are_read_together() -> None:
    assert parse_parameters("Action=x&a=%C3%A4", b"b=1+2") == {"Action": "x", "a": "ä", "b": "1 2"}


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("a=1&a=2", b""),
        ("a=1", b"a=1"),
        ("", b"a=%FF"),
        ("", b"\xff"),
        ("", b"&".join(b"a%d=1" % number for number in range(21))),
    ],
    ids=["twice", "in-both", "no-utf8", "no-ascii", "too-many"],
)
def test_parameters_that_are_not_read(query: str, body: bytes) -> None:
    with pytest.raises(InvalidParameter):
        parse_parameters(query, body)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"Action": ""}, MissingAction),
        ({"Action": "AssumeRole"}, InvalidAction),
        ({"Action": "GetCallerIdentity"}, InvalidAction),
        ({"Version": "2010-01-01"}, InvalidAction),
        ({"WebIdentityToken": ""}, InvalidParameter),
        ({"PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/x"}, InvalidParameter),
        ({"ProviderId": "www.amazon.com"}, InvalidParameter),
        ({"Unknown": "x"}, InvalidParameter),
        ({"DurationSeconds": "899"}, InvalidParameter),
        ({"DurationSeconds": "-900"}, InvalidParameter),
        ({"DurationSeconds": "1e3"}, InvalidParameter),
        ({"DurationSeconds": "9" * 100}, InvalidParameter),
        ({"RoleArn": "uploader"}, InvalidParameter),
        ({"RoleArn": "arn:aws:iam::1:role/x"}, InvalidParameter),
        ({"RoleArn": ROLE + "<x>"}, InvalidParameter),
        ({"RoleSessionName": "x"}, InvalidParameter),
        ({"RoleSessionName": "a b"}, InvalidParameter),
        ({"RoleSessionName": "x" * 65}, InvalidParameter),
        ({"RoleSessionName": "<script>"}, InvalidParameter),
        ({"Policy": "{"}, MalformedPolicy),
    ],
)
def test_requests_that_are_refused(changes: dict[str, str], error: type[StsError]) -> None:
    with pytest.raises(error) as refused:
        parse_assume_role(ASKED | changes)

    assert type(refused.value) is error


def policy(*resources: str, **changes: Any) -> str:
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": list(resources), **changes}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("text", "prefixes"),
    [
        (policy("arn:aws:s3:::uploads/*"), {"uploads": ("",)}),
        (policy("arn:aws:s3:::uploads/in/*"), {"uploads": ("in/",)}),
        (policy("arn:aws:s3:::uploads/in*"), {"uploads": ("in",)}),
        (
            policy("arn:aws:s3:::a-a/x/*", "arn:aws:s3:::a-a/y/*", "arn:aws:s3:::bbb/*"),
            {"a-a": ("x/", "y/"), "bbb": ("",)},
        ),
        (policy("arn:aws:s3:::uploads", "arn:aws:s3:::uploads/in/*"), {"uploads": ("in/",)}),
        (policy("arn:aws:s3:::uploads"), {"uploads": ()}),
        (policy("*"), None),
        (policy("arn:aws:s3:::*"), None),
        (policy("arn:aws:s3:::uploads/*", "*"), None),
        (policy("arn:aws:s3:::uploads/*", Action=["s3:Put*", "s3:AbortMultipartUpload"]), {"uploads": ("",)}),
        (policy("arn:aws:s3:::uploads/*", Action="S3:PUTOBJECT", Sid="x"), {"uploads": ("",)}),
        (policy("arn:aws:s3:::uploads/ä ö/*"), {"uploads": ("ä ö/",)}),
        (
            json.dumps(
                {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::uploads/*"}}
            ),
            {"uploads": ("",)},
        ),
    ],
)
def test_policies_that_narrow(text: str, prefixes: dict[str, tuple[str, ...]] | None) -> None:
    assert parse_session_policy(text) == prefixes


ALL = "arn:aws:s3:::uploads/*"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"Statement": []}',
        '{"Statement": "x"}',
        '{"Statement": [], "Statement": []}',
        json.dumps({"Version": "2008-10-17", "Statement": [{}]}),
        json.dumps({"Statement": [{}], "Extra": 1}),
        policy(ALL, Effect="Deny"),
        policy(ALL, Condition={"IpAddress": {}}),
        policy(ALL, Principal="*"),
        policy(ALL, NotAction="s3:PutObject"),
        policy(ALL, NotResource=ALL),
        policy(ALL, Action="s3:DeleteObject"),
        policy(ALL, Action=["s3:PutObject", "s3:DeleteObject"]),
        policy(ALL, Action="s3:GetObject"),
        policy(ALL, Action="s3:Put?bject"),
        policy(ALL, Action=[]),
        policy(ALL, Action=7),
        policy(),
        policy(Resource=None),
        policy(Resource={"a": "b"}),
        policy("arn:aws:s3:::uploads/key"),
        policy("arn:aws:s3:::uploads/*/x"),
        policy("arn:aws:s3:::uploads/*x*"),
        policy("arn:aws:s3:::uploads/?*"),
        policy("arn:aws:s3:::upl*/*"),
        policy("arn:aws:s3:::*/*"),
        policy("arn:aws:s3:::UPLOADS/*"),
        policy("arn:aws:s3:::uploads/${aws:username}/*"),
        policy("arn:aws:s3:us-east-1::uploads/*"),
        policy("arn:aws:iam:::uploads/*"),
        policy("uploads/*"),
    ],
)  # fmt: skip
def test_policies_that_cannot_be_kept(text: str) -> None:
    with pytest.raises(MalformedPolicy):
        parse_session_policy(text)


def test_a_policy_has_an_end() -> None:
    with pytest.raises(SessionTooLarge):
        parse_session_policy(policy("arn:aws:s3:::uploads/" + "x" * 2048 + "*"))


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


SEALER = SessionSealer([b"k" * 32])
SHARED = JwtConfig(algorithms=("HS256",), secret="a-shared-secret-of-32-characters")


def exchange_of(issuer: Issuer, **more: BucketAuth) -> TokenExchange:
    rule = JwtConfig(
        algorithms=("ES256",),
        jwks_url=issuer.jwks_url,
        issuers=(issuer.url,),
        audiences=(AUDIENCE,),
        claims=("tenant",),
    )
    buckets = {
        "one": BucketAuth(jwt=rule),
        "two": BucketAuth(jwt=rule),
        "by-mail": BucketAuth(jwt=replace(rule, subject_claim="email")),
        "shared": BucketAuth(jwt=SHARED),
        "tokens": BucketAuth(jwt=replace(rule, claims=()), sigv4=False),
        "keys": BucketAuth(),
        **more,
    }
    return TokenExchange(buckets, build_verifiers(buckets), SEALER, max_duration_seconds=7200)


@pytest.fixture(scope="module")
def exchange(issuer: Issuer) -> TokenExchange:
    return exchange_of(issuer)


def test_a_session_speaks_for_the_token_wherever_its_rules_hold(
    issuer: Issuer, exchange: TokenExchange
) -> None:
    token = issuer.token("alice", tenant="t1", email="alice@example.org")

    issued = exchange.assume_role(AssumeRole(token))

    session = SEALER.open(issued.access_key_id, issued.session_token).session
    assert [grant.subject for grant in session.grants] == ["alice", "alice@example.org"]
    assert session.grants[0].claims == {"tenant": "t1"}
    assert session.prefixes is None
    assert issued.token.subject == "alice"
    assert 3590 <= session.expires_at - time.time() <= 3600
    assert len(issued.session_token) < 1024


def test_one_rule_is_enough(issuer: Issuer, exchange: TokenExchange) -> None:
    issued = exchange.assume_role(AssumeRole(issuer.token("alice")))

    (grant,) = SEALER.open(issued.access_key_id, issued.session_token).session.grants
    assert grant.subject == "alice"


@pytest.mark.parametrize(("asked", "seconds"), [(None, 3600), (900, 900), (7200, 7200)])
def test_how_long_it_is_good(
    asked: int | None, seconds: int, issuer: Issuer, exchange: TokenExchange
) -> None:
    """As with AWS, longer than the token."""
    token = issuer.token(lifetime=30)

    issued = exchange.assume_role(AssumeRole(token, duration_seconds=asked))

    assert seconds - 10 <= issued.expires_at - time.time() <= seconds


def test_no_longer_than_the_operator_allows(issuer: Issuer, exchange: TokenExchange) -> None:
    with pytest.raises(InvalidParameter, match="at most 7200"):
        exchange.assume_role(AssumeRole(issuer.token(), duration_seconds=7201))


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"lifetime": -60}, IdentityTokenExpired, "expired"),
        ({"aud": "other"}, IdentityTokenRefused, "accepted nowhere"),
        ({"iss": "https://evil.example"}, IdentityTokenRefused, "accepted nowhere"),
        ({"sub": None}, IdentityTokenRefused, "accepted nowhere"),
    ],
)
def test_tokens_that_are_not_exchanged(
    changes: dict[str, Any], error: type[StsError], reason: str, issuer: Issuer, exchange: TokenExchange
) -> None:
    with pytest.raises(error) as refused:
        exchange.assume_role(AssumeRole(issuer.token(**changes)))

    assert refused.value.reason == reason


def test_garbage_is_not_exchanged(exchange: TokenExchange) -> None:
    with pytest.raises(IdentityTokenRefused, match="malformed token"):
        exchange.assume_role(AssumeRole("garbage"))


@pytest.mark.parametrize("bucket", ["keys", "tokens", "shared", "nowhere"])
def test_a_policy_that_leaves_no_bucket_is_refused(
    bucket: str, issuer: Issuer, exchange: TokenExchange
) -> None:
    with pytest.raises(ExchangeDenied):
        exchange.assume_role(AssumeRole(issuer.token(), prefixes={bucket: ("",)}))


def test_an_issuer_that_is_away_is_told_apart() -> None:
    with running_issuer() as gone:
        token = gone.token()

    with pytest.raises(IssuerUnreachable):
        exchange_of(gone).assume_role(AssumeRole(token))


def test_another_issuer_that_is_away_is_nobodys_trouble(issuer: Issuer) -> None:
    away = JwtConfig(algorithms=("ES256",), jwks_url="http://127.0.0.1:9/keys")

    assert exchange_of(issuer, away=BucketAuth(jwt=away)).assume_role(AssumeRole(issuer.token()))


def test_without_a_bucket_for_tokens_nothing_is_exchanged() -> None:
    exchange = TokenExchange({"keys": BucketAuth()}, {}, SEALER, max_duration_seconds=3600)
    token = jwt.encode({"sub": "a"}, SHARED.secret)

    with pytest.raises(ExchangeDenied):
        exchange.assume_role(AssumeRole(token))


def test_the_form_of_parameters_is_that_of_clients() -> None:
    assert parse_parameters("", urlencode(ASKED).encode()) == ASKED
