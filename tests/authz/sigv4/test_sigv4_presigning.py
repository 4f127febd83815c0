"""URLs that we presign, against AWS's published example, botocore, and our own verification."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from authz.errors import RequestExpired, SignatureDoesNotMatch
from authz.sigv4.authorization import parse_authorization
from authz.sigv4.canonical import encode_uri
from authz.sigv4.parts import RequestParts
from authz.sigv4.presigning import presigned_target
from authz.sigv4.verify import verify
from tests.authz.sigv4.conftest import ACCESS_KEY_ID, NOW, SECRET

HOST = "uploads.example:8080"
KEYS = ("k", "a b+c", "käse/ ü.png", "100%/#?&=", "//x//", "~-._", "日本")


def presigned(key: str = "key", *, token: str | None = None, **more: object) -> str:
    arguments: dict[str, object] = {
        "method": "PUT",
        "path": f"/bucket/{key}".encode(),
        "query": [("partNumber", "7"), ("uploadId", "a+b/c=")],
        "headers": {"host": HOST, "x-amz-checksum-sha256": "abc=", "content-type": "text/plain; a=b"},
        "access_key": ACCESS_KEY_ID,
        "secret_key": SECRET,
        "session_token": token,
        "expires_seconds": 300,
        "now": NOW,
    }
    return presigned_target(**{**arguments, **more})  # type: ignore[arg-type]


def test_the_example_of_aws() -> None:
    """S3 API reference, "Authenticating Requests: Using Query Parameters", "An Example"."""
    target = presigned_target(
        method="GET",
        path=b"/test.txt",
        query=[],
        headers={"host": "examplebucket.s3.amazonaws.com"},
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        session_token=None,
        expires_seconds=86400,
        now=datetime(2013, 5, 24, tzinfo=UTC),
    )

    path, _, query = target.partition("?")
    assert path == "/test.txt"
    assert parse_qs(query)["X-Amz-Signature"] == [
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    ]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("token", [None, "session/+=token"])
@pytest.mark.usefixtures("frozen_botocore")
def test_botocore_signs_the_same(key: str, token: str | None) -> None:
    headers = {"x-amz-checksum-sha256": "abc="}
    ours = presigned(key, token=token, headers={"host": HOST, **headers}, query=[("uploads", "")])
    url = f"http://{HOST}{encode_uri(f'/bucket/{key}'.encode())}?uploads="
    request = AWSRequest(method="PUT", url=url, headers=headers)
    S3SigV4QueryAuth(Credentials(ACCESS_KEY_ID, SECRET, token), "s3", "us-east-1", 300).add_auth(request)

    assert parse_qs(urlsplit(ours).query, keep_blank_values=True) == parse_qs(
        urlsplit(request.url).query, keep_blank_values=True
    )


def arrived(target: str, *, method: str = "PUT", host: str = HOST, **headers: str) -> RequestParts:
    path, _, query = target.partition("?")
    sent = {"host": host, "x-amz-checksum-sha256": "abc=", "content-type": "text/plain; a=b"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestParts(method, unquote_to_bytes(path), query, sent, host=host)


def verified(parts: RequestParts, *, seconds_later: float = 0) -> None:
    signed = parse_authorization(parts)
    assert signed is not None
    verify(parts, signed, SECRET, now=NOW.timestamp() + seconds_later, max_clock_skew_seconds=900)


@pytest.mark.parametrize("key", KEYS)
def test_we_take_what_we_signed(key: str) -> None:
    verified(arrived(presigned(key, token="t")), seconds_later=300)


@pytest.mark.parametrize(
    "changed",
    [
        lambda: arrived(presigned(), method="DELETE"),
        lambda: arrived(presigned(), host="other.example"),
        lambda: arrived(presigned(), x_amz_checksum_sha256="abd="),
        lambda: arrived(presigned(), content_type="text/html"),
        lambda: arrived(presigned().replace("/bucket/key", "/bucket/other")),
        lambda: arrived(presigned().replace("partNumber=7", "partNumber=8")),
        lambda: arrived(presigned().replace("Expires=300", "Expires=301")),
        lambda: arrived(presigned(token="t").replace("Token=t", "Token=u")),
        lambda: arrived(presigned() + "&x-id=PutObject"),
    ],
)
def test_nothing_else_is_taken(changed: Callable[[], RequestParts]) -> None:
    with pytest.raises(SignatureDoesNotMatch):
        verified(changed())


def test_it_is_over_after_its_time() -> None:
    with pytest.raises(RequestExpired):
        verified(arrived(presigned()), seconds_later=301)
