"""Requests whose signature, time or claim of identity is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.e2e.gateway import FILES, LIMITED
from tests.e2e.wire.client import Request
from tests.e2e.wire.refusal import Refusal
from tests.e2e.wire.scene import BODY, Scene
from tests.e2e.wire.signing import Signer

MISMATCH = "SignatureDoesNotMatch"
MALFORMED = "AuthorizationHeaderMalformed"
BAD_QUERY = "AuthorizationQueryParametersError"
Build = Callable[[Scene], Request]


def ago(**ages: float) -> datetime:
    return datetime.now(UTC) - timedelta(**ages)


def by(**changes: object) -> Build:
    """A PUT signed by the owner with something wrong in the key or its use."""
    return lambda s: s.owner.but(**changes).sign(s.put())


def then(change: Callable[[Request], Request]) -> Build:
    """A PUT that is changed after it was signed."""
    return lambda s: change(s.owner.sign(s.put()))


def authorization(change: Callable[[str], str]) -> Build:
    """A PUT whose Authorization header is changed after it was signed."""
    return then(lambda r: r.with_headers({"Authorization": change(r.header("authorization"))}))


def url(change: Callable[[Request], Request] = lambda r: r, expires: str = "300", **signer: object) -> Build:
    """A presigned PUT that is changed after it was signed."""
    return lambda s: change(s.owner.but(**signer).presign(s.put(), expires=expires))


def in_query(old: str, new: str) -> Callable[[Request], Request]:
    return lambda r: r.with_query(r.query.replace(old, new))


def flipped(text: str) -> str:
    """Another last hexadecimal digit."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def header_and_url(scene: Scene) -> Request:
    presigned = scene.owner.presign(scene.put())
    return presigned.and_header("Authorization", scene.owner.sign(scene.put()).header("authorization"))


def other_secret(scene: Scene) -> Request:
    return Signer(scene.neighbour.access_key_id, scene.owner.secret).sign(scene.put())


SIGNATURES = (
    Refusal("secret-wrong", 403, MISMATCH, by(secret="x" * 40)),
    Refusal("secret-of-another-key", 403, MISMATCH, other_secret),
    Refusal("key-unknown", 403, "InvalidAccessKeyId", by(access_key_id="AKNOBODY")),
    Refusal("signature-flipped", 403, MISMATCH, authorization(flipped)),
    Refusal("signature-short", 400, MALFORMED, authorization(lambda a: a[:-1])),
    Refusal("signature-of-zeros", 403, MISMATCH, authorization(lambda a: a[:-64] + "0" * 64)),
    Refusal("signature-upper-case", 400, MALFORMED, authorization(lambda a: a[:-64] + "A" * 64)),
    Refusal("header-unsigned", 403, "AccessDenied", then(lambda r: r.and_header("x-amz-meta-a", "b"))),
    Refusal("host-unsigned", 400, MALFORMED, lambda s: s.owner.sign(s.put(), unsigned=("host",))),
    Refusal("host-changed", 403, MISMATCH, then(lambda r: r.with_headers({"Host": "gateway.example"}))),
    Refusal(
        "signed-header-changed",
        403,
        MISMATCH,
        lambda s: s.owner.sign(s.put(headers={"x-amz-meta-a": "b"})).with_headers({"x-amz-meta-a": "c"}),
    ),
    Refusal(
        "signed-header-missing",
        403,
        MISMATCH,
        lambda s: s.owner.sign(s.put(headers={"x-amz-meta-a": "b"})).without_headers("x-amz-meta-a"),
    ),
    Refusal(
        "signed-header-with-underscores",
        403,
        MISMATCH,
        lambda s: (
            s.owner.sign(s.put(headers={"x-amz-meta-a": "b"}))
            .without_headers("x-amz-meta-a")
            .and_header("x_amz_meta_a", "b")
        ),
    ),
    Refusal(
        "signed-header-repeated",
        403,
        MISMATCH,
        lambda s: s.owner.sign(s.put(headers={"x-amz-meta-a": "b"})).and_header("x-amz-meta-a", "b"),
    ),
    Refusal(
        "method-changed",
        403,
        MISMATCH,
        lambda s: replace(s.owner.sign(s.request("POST", body=BODY)), method="PUT"),
    ),
    Refusal("key-changed", 403, MISMATCH, then(lambda r: r.with_path(r.path + "x"))),
    Refusal("query-added", 403, MISMATCH, then(lambda r: r.with_query("x-id=PutObject"))),
    Refusal("service-wrong", 400, MALFORMED, by(service="ec2")),
    Refusal("version-2", 400, "InvalidRequest", authorization(lambda a: "AWS AKENDTOEND:c2lnbmF0dXJl")),
    Refusal("version-4a", 400, "InvalidRequest", by(algorithm="AWS4-ECDSA-P256-SHA256")),
    Refusal("sha512", 400, "InvalidRequest", by(algorithm="AWS4-HMAC-SHA512")),
    Refusal("basic", 400, "InvalidRequest", authorization(lambda a: "Basic dXNlcjpwYXNz")),
    Refusal("bearer", 400, "InvalidRequest", authorization(lambda a: "Bearer eyJhbGciOiJub25lIn0.e30.")),
    Refusal("no-authorization", 403, "AccessDenied", then(lambda r: r.without_headers("authorization"))),
    Refusal("authorization-empty", 403, "AccessDenied", authorization(lambda a: "")),
    Refusal("authorization-bare", 400, MALFORMED, authorization(lambda a: "AWS4-HMAC-SHA256")),
    Refusal("authorization-twice", 400, MALFORMED, then(lambda r: r.and_header("Authorization", "x"))),
    Refusal("authorization-field-twice", 400, MALFORMED, authorization(lambda a: f"{a}, {a[17:]}")),
    Refusal("no-signed-headers", 400, MALFORMED, authorization(lambda a: a.replace("SignedHeaders", "S"))),
    Refusal(
        "header-signed-twice", 400, MALFORMED, authorization(lambda a: a.replace("=host;", "=host;host;"))
    ),
    Refusal("credential-short", 400, MALFORMED, authorization(lambda a: a.replace("/aws4_request", ""))),
    Refusal(
        "session-token",
        400,
        "InvalidToken",
        lambda s: s.owner.sign(s.put(headers={"x-amz-security-token": "t"})),
    ),
    Refusal("header-and-url", 400, "InvalidArgument", header_and_url),
    Refusal(
        "payload-hash-unknown",
        400,
        "InvalidArgument",
        lambda s: s.owner.sign(s.put(headers={"x-amz-content-sha256": "SIGNED-PAYLOAD"})),
    ),
    Refusal(
        "payload-ecdsa",
        400,
        "InvalidRequest",
        lambda s: s.owner.sign(
            s.put(
                headers={
                    "x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
                    "x-amz-decoded-content-length": str(len(BODY)),
                }
            )
        ),
    ),
    Refusal("scope-denies", 403, "AccessDenied", lambda s: s.neighbour.sign(s.put()), (LIMITED,)),
)

DATES = (
    Refusal("late", 403, "RequestTimeTooSkewed", lambda s: by(at=ago(minutes=16))(s), (FILES,)),
    Refusal("early", 403, "RequestTimeTooSkewed", lambda s: by(at=ago(minutes=-16))(s), (FILES,)),
    Refusal("years-ago", 403, "RequestTimeTooSkewed", by(at=datetime(1970, 1, 1, tzinfo=UTC)), (FILES,)),
    Refusal("scope-of-another-day", 400, MALFORMED, by(day="20200101"), (FILES,)),
    Refusal(
        "date-malformed", 400, MALFORMED, then(lambda r: r.with_headers({"x-amz-date": "today"})), (FILES,)
    ),
    Refusal(
        "date-impossible",
        400,
        MALFORMED,
        then(lambda r: r.with_headers({"x-amz-date": "20261345T996199Z"})),
        (FILES,),
    ),
    Refusal(
        "date-missing",
        400,
        "MissingSecurityHeader",
        then(lambda r: r.without_headers("x-amz-date")),
        (FILES,),
    ),
    Refusal(
        "date-changed",
        403,
        MISMATCH,
        then(lambda r: r.with_headers({"x-amz-date": flipped(r.header("x-amz-date")[:-1]) + "Z"})),
        (FILES,),
    ),
)

PRESIGNED = (
    Refusal("url-expired", 403, "AccessDenied", lambda s: url(at=ago(minutes=10))(s), (FILES,)),
    Refusal(
        "url-expired-days-ago",
        403,
        "AccessDenied",
        lambda s: url(at=ago(days=8), expires="604800")(s),
        (FILES,),
    ),
    Refusal("url-expires-too-late", 400, BAD_QUERY, url(expires="604801"), (FILES,)),
    Refusal("url-expires-negative", 400, BAD_QUERY, url(expires="-1"), (FILES,)),
    Refusal("url-expires-no-number", 400, BAD_QUERY, url(expires="soon"), (FILES,)),
    Refusal(
        "url-not-yet-valid", 403, "RequestTimeTooSkewed", lambda s: url(at=ago(minutes=-20))(s), (FILES,)
    ),
    Refusal("url-signature-flipped", 403, MISMATCH, url(lambda r: r.with_query(flipped(r.query)))),
    Refusal("url-secret-wrong", 403, MISMATCH, url(secret="x" * 40)),
    Refusal("url-key-unknown", 403, "InvalidAccessKeyId", url(access_key_id="AKNOBODY")),
    Refusal(
        "url-for-get",
        403,
        MISMATCH,
        lambda s: replace(s.owner.presign(replace(s.put(), method="GET")), method="PUT"),
    ),
    Refusal("url-for-another-key", 403, MISMATCH, url(lambda r: r.with_path(r.path + "x"))),
    Refusal("url-expiry-stretched", 403, MISMATCH, url(in_query("Expires=300", "Expires=900"))),
    Refusal(
        "url-parameter-twice",
        400,
        "InvalidArgument",
        url(lambda r: r.with_query(f"{r.query}&X-Amz-Expires=1")),
    ),
    Refusal(
        "url-parameter-twice-in-case",
        400,
        BAD_QUERY,
        url(lambda r: r.with_query(f"{r.query}&x-amz-expires=1")),
    ),
    Refusal("url-parameter-added", 403, MISMATCH, url(lambda r: r.with_query(f"{r.query}&x=1"))),
    Refusal("url-parameter-missing", 400, BAD_QUERY, url(in_query("X-Amz-Date", "X-Date"))),
    Refusal("url-header-unsigned", 403, "AccessDenied", url(lambda r: r.and_header("x-amz-meta-a", "b"))),
    Refusal(
        "url-header-differs",
        400,
        "InvalidRequest",
        lambda s: s.owner.presign(s.put().with_query("x-amz-meta-a=b")).and_header("x-amz-meta-a", "c"),
    ),
    Refusal(
        "url-version-2",
        400,
        "InvalidRequest",
        lambda s: s.put().with_query("AWSAccessKeyId=A&Signature=b&Expires=1"),
    ),
    Refusal("url-version-4a", 400, "InvalidRequest", url(algorithm="AWS4-ECDSA-P256-SHA256")),
    Refusal(
        "url-session-token",
        400,
        "InvalidToken",
        lambda s: s.owner.presign(s.put().with_query("X-Amz-Security-Token=t")),
    ),
)
