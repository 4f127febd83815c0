"""The signature doctor finds what went wrong, says it plainly, and gives nothing away."""

import dataclasses
import time
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import pytest

from authz.errors import SignatureDoesNotMatch
from authz.sigv4 import diagnosis as doctor
from authz.sigv4.advice import ADVICE
from authz.sigv4.authorization import parse_authorization
from authz.sigv4.diagnosis import HostAlternatives, diagnose
from authz.sigv4.masking import masked
from authz.sigv4.parts import RequestParts
from authz.sigv4.signing import sign_headers
from authz.sigv4.verify import verify

AT = datetime(2026, 11, 5, 12, 30, 15, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
URL = "http://uploads.example/bucket/a%20key"


def changed(parts, *, drop=(), headers=None, **fields):
    kept = {name: value for name, value in parts.headers.items() if name not in drop}
    return dataclasses.replace(parts, headers=kept | (headers or {}), **fields)


def client_signs(*, path="/bucket/key", host="uploads.example", region="eu-west-1", query=(), headers=None):
    """A client that signs wrongly, or a proxy that changed what it signed: signed as told here."""
    return sign_headers(
        method="PUT",
        encoded_path=path,
        query=list(query),
        headers={"host": host, **(headers or {})},
        payload_hash="UNSIGNED-PAYLOAD",
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key=SECRET,
        session_token=None,
        region=region,
        now=AT,
    )


def gateway_reads(added, *, path=b"/bucket/key", host="uploads.example", query="", headers=None):
    return RequestParts("PUT", path, query, {"host": host, **(headers or {}), **added}, host=host)


def causes(parts, now, secret=SECRET, **more):
    signed = parse_authorization(parts)
    with pytest.raises(SignatureDoesNotMatch):
        verify(parts, signed, secret, now=now, max_clock_skew_seconds=900)
    return texts(diagnose(parts, signed, secret, now=now, **more))


def texts(diagnosis):
    return tuple(cause.text for cause in diagnosis.causes)


HOSTS = {
    "x-forwarded-host": ({"x-forwarded-host": "uploads.example"}, "uploads.example"),
    "x-forwarded-host-first-of-two": ({"x-forwarded-host": "uploads.example, inner"}, "uploads.example"),
    "forwarded": ({"forwarded": 'for=1.2.3.4;host="uploads.example";proto=https'}, "uploads.example"),
    "forwarded-port": (
        {"x-forwarded-host": "uploads.example", "x-forwarded-port": "8443"},
        "uploads.example:8443",
    ),
    "default-port-signed": ({"x-forwarded-host": "uploads.example"}, "uploads.example:443"),
    "http-port-signed": ({"x-forwarded-host": "uploads.example"}, "uploads.example:80"),
    "port-not-signed": ({"x-forwarded-host": "uploads.example:8080"}, "uploads.example"),
    "configured-domain": ({}, "s3.company.example"),
    "configured-domain-with-port": ({}, "s3.company.example:443"),
    "port-of-ours": ({"host": "gateway:9000"}, "s3.company.example:9000"),
}


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
@pytest.mark.parametrize(("headers", "signed_host"), HOSTS.values(), ids=HOSTS)
def test_host(sign, now, headers, signed_host, presigned_for):
    parts = sign(f"http://{signed_host}/bucket/key", presigned_for=presigned_for)
    if signed_host.endswith(":80"):  # botocore leaves the default port out, other clients do not
        parts = gateway_reads(client_signs(host=signed_host))
    seen = changed(parts, headers={"host": "gateway:8080"} | headers, host="gateway:8080")

    found = causes(seen, now, alternatives=HostAlternatives(domains=("s3.company.example",)))

    assert len(found) == 1
    assert f"matches with host `{signed_host}`" in found[0]
    assert "trusted_proxies" in found[0]


def test_raw_host_behind_a_trusted_proxy(sign, now):
    seen = changed(sign(), host="wrong.example")

    assert "matches with host `uploads.example`" in causes(seen, now)[0]


PATHS = {
    "signed-twice-encoded": ("/bucket/a%2520b", b"/bucket/a b", {}, "encoded twice"),
    "proxy-encoded-again": ("/bucket/a%20b", b"/bucket/a%20b", {}, "encoded once more"),
    "signed-unencoded": ("/bucket/a b", b"/bucket/a b", {}, "without encoding"),
    "signed-parentheses": ("/bucket/a(1)!%20b", b"/bucket/a(1)! b", {}, "left unencoded"),
    "signed-reserved": ("/bucket/a:b@c,d%20e", b"/bucket/a:b@c,d e", {}, "left unencoded"),
    "signed-plus-for-space": ("/bucket/a+b", b"/bucket/a b", {}, "signed `+`"),
    "sent-plus-for-space": ("/bucket/a%20b", b"/bucket/a+b", {}, "sent `+`"),
    "prefix-stripped": ("/s3/bucket/k", b"/bucket/k", {"x-forwarded-prefix": "/s3/"}, "stripped a prefix"),
    "prefix-added": ("/bucket/k", b"/internal/bucket/k", {}, "added a prefix"),
    "slashes-merged": ("/bucket/a/b", b"/bucket//a///b", {}, "merges slashes"),
    "slash-added": ("/bucket", b"/bucket/", {}, "added a slash"),
    "slash-taken": ("/bucket/", b"/bucket", {}, "took the slash"),
}


@pytest.mark.parametrize(("signed", "path", "headers", "said"), PATHS.values(), ids=PATHS)
def test_path(now, signed, path, headers, said):
    seen = gateway_reads(client_signs(path=signed), path=path, headers=headers)

    found = causes(seen, now)

    assert len(found) == 1
    assert said in found[0]
    assert repr(masked(signed)) in found[0]


QUERIES = {
    "plus-means-plus": ([("uploadId", "a+b")], "uploadId=a+b", "signed as a plus"),
    "added-by-a-proxy": ([("uploadId", "a")], "uploadId=a&utm=1", "`xxx` was added"),
    "decoded-by-a-proxy": ([("uploadId", "a%2Fb")], "uploadId=a/b", "decoded once"),
    "encoded-by-a-proxy": ([("uploadId", "a b")], "uploadId=a%2520b", "once more by a proxy"),
}


@pytest.mark.parametrize(("signed", "query", "said"), QUERIES.values(), ids=QUERIES)
def test_query(now, signed, query, said):
    found = causes(gateway_reads(client_signs(query=signed), query=query), now)

    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("signed_query", "query", "said"),
    [
        pytest.param("prefix=a+b", "prefix=a%20b", "signed as `+`", id="plus-for-space"),
        pytest.param("a=1&prefix=a/b", "prefix=a/b&a=1", "without encoding it anew", id="unencoded"),
        pytest.param("b=2&a=1", "b=2&a=1", "without sorting", id="unsorted"),
    ],
)
def test_query_signed_by_another_rule(now, monkeypatch, signed_query, query, said):
    monkeypatch.setattr("authz.sigv4.signing.encode_query", lambda pairs: signed_query)

    assert said in causes(gateway_reads(client_signs(), query=query), now)[0]


CHANGED_HEADERS = {
    "accept-encoding": ("identity", "gzip", "'identity'"),
    "accept-encoding-gzip": ("gzip", "br", "'gzip'"),
    "user-agent": ("", "proxy/1", "an empty value"),
    "content-type": ("application/octet-stream", "text/plain", "'application/octet-stream'"),
    "content-length": ("0", None, "'0'"),
    "x-forwarded-for": ("1.2.3.4", "1.2.3.4,10.0.0.1", "'x.x.x.x'"),
    "x-forwarded-proto": ("https", "http", "'https'"),
    "connection": ("keep-alive", "close", "'keep-alive'"),
    "te": ("trailers", None, "'trailers'"),
    "transfer-encoding": ("chunked", None, "'chunked'"),
    "expect": ("", None, "an empty value"),
}


@pytest.mark.parametrize(
    ("name", "row"),
    [(key.removesuffix("-gzip"), row) for key, row in CHANGED_HEADERS.items()],
    ids=CHANGED_HEADERS,
)
def test_signed_header_changed_or_removed(now, name, row):
    was, arrives_as, said = row
    added = client_signs(headers={name: was})
    seen = gateway_reads(added, headers={} if arrives_as is None else {name: arrives_as})

    found = causes(seen, now)

    assert len(found) == 1
    assert found[0].startswith(f"the signed header {name} was changed between client and gateway")
    assert said in found[0]


def test_header_named_but_not_signed(now):
    added = client_signs()
    header = added["authorization"].replace("SignedHeaders=host", "SignedHeaders=host;user-agent")
    seen = gateway_reads(added | {"authorization": header}, headers={"user-agent": "x"})
    # SignedHeaders is a line of the canonical request too, so only a signer that leaves both out matches.
    assert "named in SignedHeaders, but was not signed" in causes(seen, now)[0]


@pytest.mark.parametrize(
    ("region", "own"), [("us-east-1", ""), ("ap-south-2", "ap-south-2"), ("auto", ""), ("", "")]
)
def test_region(now, region, own):
    added = client_signs(region=region)
    header = added["authorization"].replace(f"/{region}/s3/", "/eu-west-1/s3/")

    found = causes(gateway_reads(added | {"authorization": header}), now, region=own)

    assert len(found) == 1
    assert f"signed for region `{region}`" in found[0]


@pytest.mark.parametrize("ours", [f"{SECRET}\n", f" {SECRET}", f"{SECRET} \r\n"], ids=ascii)
def test_white_space_around_our_secret(now, ours):
    found = causes(gateway_reads(client_signs()), now, secret=ours)

    assert found == ("the secret key has white space around it, in the client or here; paste it again",)


@pytest.mark.parametrize("theirs", [f"{SECRET}\n", f"{SECRET} ", f" {SECRET}", f"{SECRET}\r"], ids=ascii)
def test_white_space_around_their_secret(sign, now, theirs):
    assert "white space" in causes(sign(secret=theirs), now)[0]


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
def test_payload_hash_replaced(sign, now, presigned_for):
    parts = sign(data=b"", presigned_for=presigned_for)
    seen = changed(parts, headers={"x-amz-content-sha256": "ab" * 32})

    assert "x-amz-content-sha256 was changed or added" in causes(seen, now)[0]


def test_head_made_a_get(sign, now):
    assert "HEAD" in causes(changed(sign(method="HEAD", data=b""), method="GET"), now)[0]


TWO = {
    "host-and-prefix": (
        {"path": "/s3/bucket/k"},
        {"path": b"/bucket/k", "headers": {"x-forwarded-prefix": "/s3"}},
        ["host `front.example`", "stripped a prefix"],
    ),
    "host-and-accept-encoding": (
        {"headers": {"accept-encoding": "identity"}},
        {"headers": {"accept-encoding": "gzip"}},
        ["host `front.example`", "accept-encoding"],
    ),
    "host-and-plus": (
        {"query": [("uploadId", "a+b")]},
        {"query": "uploadId=a+b"},
        ["host `front.example`", "signed as a plus"],
    ),
}


@pytest.mark.parametrize(("signed", "arrives", "said"), TWO.values(), ids=TWO)
def test_two_changes_at_once(now, signed, arrives, said):
    headers = {"x-forwarded-host": "front.example", **arrives.get("headers", {})}
    seen = gateway_reads(
        client_signs(host="front.example", **signed), **{**arrives, "headers": headers}, host="inner:8080"
    )

    found = causes(seen, now)

    assert len(found) == 2
    assert all(text in cause for text, cause in zip(said, found, strict=True))


def test_two_headers_at_once(now):
    added = client_signs(headers={"accept-encoding": "identity", "content-type": ""})
    seen = gateway_reads(added, headers={"accept-encoding": "br", "content-type": "text/plain"})

    assert [cause.split(" was")[0] for cause in causes(seen, now)] == [
        "the signed header accept-encoding",
        "the signed header content-type",
    ]


def test_wrong_secret(sign, now):
    assert causes(sign(secret="another"), now) == (
        "the secret key is probably wrong: give the client the secret of this access key id",
    )


def test_signed_metadata_that_a_proxy_removed(sign, now):
    seen = changed(sign(headers={"x-amz-meta-colour": "red"}), drop=("x-amz-meta-colour",))

    found = causes(seen, now)

    assert found[0] == "signed headers did not arrive, a proxy removed them: x-amz-meta-xxxxxx"
    assert "secret key is probably wrong" in found[1]


@pytest.mark.parametrize(
    ("offset", "said"), [(3600, "3600 seconds behind"), (-3600, "3600 seconds ahead of")]
)
def test_clock(sign, now, offset, said):
    parts = sign(secret="another")

    found = texts(diagnose(parts, parse_authorization(parts), SECRET, now=now + offset))

    assert said in found[-1]


def test_clock_of_a_presigned_url_that_lives_long(sign, now):
    parts = sign(secret="another", presigned_for=7200)

    assert len(diagnose(parts, parse_authorization(parts), SECRET, now=now + 3600).causes) == 1


def test_request_that_is_in_order(sign, now):
    parts = sign()

    assert texts(diagnose(parts, parse_authorization(parts), SECRET, now=now)) == (
        "the signature matches the request as it arrived",
    )


def test_what_is_shown_has_the_shape_of_what_was_computed(sign, now):
    parts = sign(
        "http://uploads.example/bucket/a%20key?uploads", secret="another", headers={"x-amz-acl": "private"}
    )

    shown = diagnose(parts, parse_authorization(parts), SECRET, now=now)

    assert shown.canonical_request.startswith(
        "PUT\n/xxxxxx/x%20xxx\nuploads=\nhost:uploads.example\nx-amz-acl:private\n"
    )
    assert shown.string_to_sign.startswith(
        "AWS4-HMAC-SHA256\n20261105T123015Z\n20261105/eu-west-1/s3/aws4_request\n"
    )


TOKEN = "FwoGZXIvYXdzEBYaDHVyc2VjcmV0"
CUSTOMER_KEY = "Y3VzdG9tZXIga2V5IG9mIDMyIGJ5dGVzLi4uLi4="


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "query"])
@pytest.mark.parametrize("used", [SECRET, "another"], ids=["right-secret", "wrong-secret"])
def test_nothing_secret_is_shown(sign, now, used, presigned_for):
    parts = sign(
        f"{URL}?X-Amz-Meta-Token={TOKEN}",
        secret=used,
        token=TOKEN,
        presigned_for=presigned_for,
        headers={"x-amz-server-side-encryption-customer-key": CUSTOMER_KEY, "cookie": TOKEN},
    )
    signed = parse_authorization(parts)
    found = diagnose(changed(parts, host="other"), signed, SECRET, now=now)

    proof = verify(parts, signed, used, now=now, max_clock_skew_seconds=900)
    texts = [repr(found), str(found), *dataclasses.astuple(found), repr(signed), str(signed), repr(proof)]
    for text in map(str, texts):
        for hidden in (
            SECRET,
            "another",
            signed.signature,
            TOKEN,
            CUSTOMER_KEY,
            quote(CUSTOMER_KEY, safe=""),
        ):
            assert hidden not in unquote(text)
            assert hidden not in text
    assert "REDACTED" in found.canonical_request


def test_a_reading_hides_its_secret(sign, now):
    parts = sign(headers={"x-amz-meta-a": "1"})
    signed = parse_authorization(parts)
    reading = doctor._read(parts, signed, SECRET)

    assert SECRET not in repr(reading)


def test_attempts_are_bounded(sign, now, monkeypatch):
    """A request made to be expensive costs no more than the bound, and the bound is milliseconds."""
    signatures = []
    monkeypatch.setattr(
        "authz.sigv4.suspects.signature", lambda key, text: signatures.append(text) or "0" * 64
    )
    names = {f"x-forwarded-{name}": "a, b" for name in ("for", "host", "port", "proto", "server")}
    many = {**names, "accept-encoding": "br", "te": "x", "via": "y", "connection": "z", "user-agent": "u"}
    parts = sign(
        "http://uploads.example/bucket/key?" + "&".join(f"p{n}={n}" for n in range(100)), secret="another"
    )
    authorization = parts.headers["authorization"].replace(
        "SignedHeaders=", f"SignedHeaders={';'.join(many)};"
    )
    forwarded = {"x-forwarded-host": ",".join(f"h{n}.example" for n in range(500))}
    seen = changed(parts, headers={**many, **forwarded, "authorization": authorization})
    started = time.process_time()

    diagnose(seen, parse_authorization(seen), SECRET, now=now)

    assert len(signatures) == doctor.MAX_ATTEMPTS
    assert time.process_time() - started < 1


def test_there_is_advice_for_whatever_is_found():
    assert set(ADVICE) == {*doctor._ALONE, "clock", "none"}
