"""What botocore signs is accepted; what was changed after it signed is not."""

import dataclasses
import datetime
import hashlib

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode

from authz.errors import (
    AuthError,
    RequestExpired,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
    UnsignedHeaders,
)
from authz.sigv4.authorization import parse_authorization, parse_post_form
from authz.sigv4.canonical import encode_query, encode_uri
from authz.sigv4.proof import Sha256Digest, UnsignedPayload, UnsignedTrailer
from authz.sigv4.signing import sign_headers
from authz.sigv4.verify import verify, verify_post_policy

KEYS = {
    "plain": "photos/2026/a.jpg",
    "unicode": "ü/鯉/🐟.txt",
    "decomposed": "u\u0308.txt",
    "spaces": "a file with  spaces ",
    "plus": "a+b+c",
    "tilde": "~user/~",
    "double-slash": "a//b///c",
    "leading-slash": "/a",
    "trailing-slash": "folder/",
    "percent": "100%25 of %2F",
    "query-like": "a=b&c?d#e",
    "dots": "a/../b/./c",
    "reserved": "!$&'()*,;:@[]",
    "unreserved": "A-Z_a.z~0",
    "control": "tab\tnewline\n",
    "backslash-quote": 'a\\b"c`|^<>{}',
    "high-bytes": "\x80\xff",
}
QUERIES = {
    "none": "",
    "subresource": "?uploads=",
    "bare-subresource": "?uploads",
    "part": "?partNumber=12&uploadId=2~Ab.c-d_e",
    "encoded": "?uploadId=a%2Fb%2Bc%3D%3D&partNumber=1",
    "unsorted": "?uploadId=z&partNumber=1&a=1",
    "unicode": "?prefix=%E9%AF%89%20x",
}
HEADERS = {
    "none": {},
    "content": {"Content-Type": "text/plain; charset=utf-8", "Content-MD5": "XUFAKrxLKna5cZ2REBfFkg=="},
    "metadata": {"x-amz-meta-colour": "red", "x-amz-meta-a-b": "1", "x-amz-acl": "private"},
    "underscore": {"x-amz-meta-my_key": "v", "x-amz-meta-my-key-2": "w"},
    "spaces": {"x-amz-meta-note": "  a   b  c  "},
    "empty": {"x-amz-meta-nothing": ""},
    "latin": {"x-amz-meta-name": "Müller"},
    "unicode": {"x-amz-meta-name": "鯉"},
    "no-break-space": {"x-amz-meta-name": "a\u00e0b"},
}


def check(parts, now, secret, skew=900):
    return verify(parts, parse_authorization(parts), secret, now=now, max_clock_skew_seconds=skew)


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_paths(sign, now, secret, key, presigned_for):
    parts = sign(
        f"http://uploads.example/bucket/{percent_encode(key, safe='/~')}", presigned_for=presigned_for
    )

    assert parts.path == b"/bucket/" + key.encode()
    assert check(parts, now, secret)


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_queries(sign, now, secret, query, presigned_for):
    assert check(sign(f"http://uploads.example/b/k{query}", presigned_for=presigned_for), now, secret)


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_headers(sign, now, secret, headers, presigned_for):
    assert check(sign(headers=headers, presigned_for=presigned_for), now, secret)


@pytest.mark.parametrize(
    "url",
    [
        "http://uploads.example:8000/b/k",
        "https://uploads.example/b/k",
        "http://bucket.uploads.example/k",
        "http://127.0.0.1:9000/",
        "http://[::1]:9000/b/k",
    ],
)
def test_hosts(sign, now, secret, url):
    assert check(sign(url), now, secret)


def test_hash_of_the_body_is_the_proof(sign, now, secret):
    digest = hashlib.sha256(b"hello").hexdigest()

    assert check(sign(data=b"hello"), now, secret) == Sha256Digest(hex_digest=digest)


def test_unsigned_trailer(sign, now, secret):
    context = {"checksum": {"request_algorithm": {"in": "trailer", "algorithm": "crc32"}}}

    assert check(sign(context=context), now, secret) == UnsignedTrailer()


def test_unsigned_payload(sign, now, secret):
    parts = sign("https://uploads.example/b/k", presigned_for=5)

    assert check(parts, now, secret) == UnsignedPayload()


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
def test_session_token_is_handed_on(sign, presigned_for):
    signed = parse_authorization(sign(token="a/token+with=signs", presigned_for=presigned_for))

    assert signed.session_token == "a/token+with=signs"


def test_date_header_instead_of_x_amz_date(sign, now, secret):
    parts = sign(headers={"Date": "anything"})

    assert "x-amz-date" not in parts.headers
    assert check(parts, now, secret)


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda p: {"method": "POST"}, id="method"),
        pytest.param(lambda p: {"path": p.path + b"x"}, id="path"),
        pytest.param(lambda p: {"path": p.path.upper()}, id="path-case"),
        pytest.param(lambda p: {"path": b"/" + p.path}, id="path-slash"),
        pytest.param(lambda p: {"query": p.query + "&uploads="}, id="query-added"),
        pytest.param(lambda p: {"query": p.query.replace("partNumber=1", "partNumber=2")}, id="query-value"),
        pytest.param(lambda p: {"query": p.query.replace("uploadId=u&", "")}, id="query-removed"),
        pytest.param(lambda p: {"host": "other.example"}, id="host"),
        pytest.param(lambda p: {"headers": {**p.headers, "x-amz-meta-a": "2"}}, id="header-value"),
        pytest.param(lambda p: {"headers": {**p.headers, "content-type": "b"}}, id="content-type"),
    ],
)
def test_changed_after_signing(sign, now, secret, change, presigned_for):
    parts = sign(
        "http://uploads.example/b/key?uploadId=u&partNumber=1",
        headers={"x-amz-meta-a": "1", "Content-Type": "a"},
        presigned_for=presigned_for,
    )
    changed = dataclasses.replace(parts, **change(parts))
    assert changed != parts

    with pytest.raises(SignatureDoesNotMatch):
        check(changed, now, secret)


def flip(text, index):
    return text[:index] + ("0" if text[index] != "0" else "1") + text[index + 1 :]


def test_every_digit_of_the_signature_counts(sign, now, secret):
    parts = sign()
    header = parts.headers["authorization"]
    start = header.index("Signature=") + len("Signature=")

    for index in range(start, len(header)):
        changed = dataclasses.replace(parts, headers={**parts.headers, "authorization": flip(header, index)})
        with pytest.raises(SignatureDoesNotMatch):
            check(changed, now, secret)


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
def test_no_flipped_character_is_accepted(sign, now, secret, presigned_for):
    """Whatever character of what was signed changes, the request is refused, and only as an AuthError."""
    parts = sign("http://uploads.example/b/k?uploads=1", presigned_for=presigned_for)
    name = "query" if presigned_for else "authorization"
    text = parts.query if presigned_for else parts.headers["authorization"]
    key_id = text.index("AKIA"), text.index("AKIA") + len("AKIAIOSFODNN7EXAMPLE")

    for index in range(len(text)):
        if not presigned_for and key_id[0] <= index < key_id[1]:
            continue  # Another key id is looked up, and then has another secret.
        changed = flip(text, index)
        if name == "query":
            broken = dataclasses.replace(parts, query=changed)
        else:
            broken = dataclasses.replace(parts, headers={**parts.headers, "authorization": changed})
        with pytest.raises(AuthError):
            check(broken, now, secret)


def test_wrong_secret(sign, now, secret):
    parts = sign()
    check(parts, now, secret)

    with pytest.raises(SignatureDoesNotMatch):
        check(parts, now, secret + " ")


@pytest.mark.parametrize(
    ("offset", "is_accepted"), [(0, True), (900, True), (-900, True), (901, False), (-901, False)]
)
def test_clock_skew(sign, now, secret, offset, is_accepted):
    parts = sign()

    if is_accepted:
        assert check(parts, now + offset, secret)
    else:
        with pytest.raises(RequestTimeTooSkewed):
            check(parts, now + offset, secret)


@pytest.mark.parametrize(
    ("offset", "error"),
    [(0, None), (60, None), (61, RequestExpired), (-900, None), (-901, RequestTimeTooSkewed)],
)
def test_presigned_life(sign, now, secret, offset, error):
    parts = sign(presigned_for=60)

    if error is None:
        assert check(parts, now + offset, secret)
    else:
        with pytest.raises(error):
            check(parts, now + offset, secret)


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
def test_unsigned_amz_header(sign, now, secret, presigned_for):
    parts = sign(presigned_for=presigned_for)
    added = dataclasses.replace(parts, headers={**parts.headers, "x-amz-acl": "public-read"})

    with pytest.raises(UnsignedHeaders, match="x-amz-acl"):
        check(added, now, secret)


@pytest.mark.parametrize(
    "value", [hashlib.sha256(b"hello").hexdigest(), "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
)
def test_presigned_with_payload_hash_in_the_header(sign, now, secret, value):
    """botocore signs the header when it is known as the URL is made."""
    parts = sign(headers={"X-Amz-Content-SHA256": value}, presigned_for=60)

    assert check(parts, now, secret)
    with pytest.raises(SignatureDoesNotMatch):
        check(
            dataclasses.replace(parts, headers={**parts.headers, "x-amz-content-sha256": "0" * 64}),
            now,
            secret,
        )


@pytest.mark.parametrize("token", [None, "session"])
def test_post_form(frozen_botocore, now, secret, token):
    request = AWSRequest(method="POST", url="http://uploads.example/bucket")
    request.context["s3-presign-post-policy"] = {
        "expiration": "2026-11-06T00:00:00Z",
        "conditions": [["starts-with", "$key", "鯉/"]],
    }
    S3SigV4PostAuth(Credentials("AKID", secret, token), "s3", "eu-west-1").add_auth(request)
    fields = request.context["s3-presign-post-fields"]

    signed = parse_post_form(fields)
    verify_post_policy(fields["policy"], signed, secret, now=now, max_clock_skew_seconds=0)

    assert (signed.access_key_id, signed.session_token) == ("AKID", token)
    with pytest.raises(SignatureDoesNotMatch):
        verify_post_policy(fields["policy"], signed, "other", now=now, max_clock_skew_seconds=0)
    with pytest.raises(RequestTimeTooSkewed):
        verify_post_policy(fields["policy"], signed, secret, now=now - 61, max_clock_skew_seconds=60)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize(
    "query", [[], [("partNumber", "1"), ("uploadId", "a/b+c d=鯉")]], ids=["plain", "part"]
)
@pytest.mark.parametrize("token", [None, "session"])
def test_our_signer_agrees_with_botocore(frozen_botocore, secret, key, query, token):
    path = encode_uri(b"/bucket/" + key.encode())
    headers = {"Content-Type": "text/plain", "x-amz-meta-A": "a  b", "x-amz-meta-my_key": "1"}
    wire_query = encode_query([(name.encode(), value.encode()) for name, value in query])
    request = AWSRequest(
        method="PUT", url=f"http://s3.example:8333{path}?{wire_query}", headers=headers, data=b"x"
    )
    S3SigV4Auth(Credentials("AKID", secret, token), "s3", "eu-west-1").add_auth(request)

    ours = sign_headers(
        method="PUT",
        encoded_path=path,
        query=query,
        headers={**headers, "Host": "s3.example:8333"},
        payload_hash=hashlib.sha256(b"x").hexdigest(),
        access_key="AKID",
        secret_key=secret,
        session_token=token,
        region="eu-west-1",
        now=datetime.datetime(2026, 11, 5, 13, 30, 15, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
    )

    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert ours == {name: theirs[name] for name in ours}
    assert ("x-amz-security-token" in ours) is (token is not None)
