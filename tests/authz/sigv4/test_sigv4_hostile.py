"""Malformed, misleading and random signatures: each is refused by name, and nothing else escapes."""

import contextlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import (
    AuthError,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    InvalidPayloadHash,
    MissingSecurityHeader,
    MultipleAuthMechanisms,
    UnsignedHeaders,
    UnsupportedSignature,
)
from authz.sigv4.authorization import parse_authorization, parse_post_form
from authz.sigv4.parts import RequestParts
from authz.sigv4.verify import verify, verify_post_policy

SIGNATURE = "0123456789abcdef" * 4
CREDENTIAL = "AKID/20261105/eu-west-1/s3/aws4_request"
HEADER = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"
HEADERS = {
    "host": "uploads.example",
    "x-amz-date": "20261105T123015Z",
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "authorization": HEADER,
}
QUERY = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": CREDENTIAL,
    "X-Amz-Date": "20261105T123015Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": SIGNATURE,
}
FORM = {
    "policy": "e30=",
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": CREDENTIAL,
    "x-amz-date": "20261105T123015Z",
    "x-amz-signature": SIGNATURE,
}

Malformed = AuthorizationHeaderMalformed
BadQuery = AuthorizationQueryParametersError


def request(headers=HEADERS, query=""):
    return RequestParts("PUT", b"/b/k", query, headers, host="uploads.example")


def authorization(value, **more):
    return request(
        HEADERS | {"authorization": value} | {name.replace("_", "-"): v for name, v in more.items()}
    )


def presigned(query=QUERY, headers=None):
    raw = query if isinstance(query, str) else urlencode(query)
    return request({"host": "uploads.example"} | (headers or {}), raw)


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


def scope(credential):
    return HEADER.replace(CREDENTIAL, credential)


AUTHORIZATIONS = {
    "scheme-only": ("AWS4-HMAC-SHA256", Malformed),
    "scheme-and-space": ("AWS4-HMAC-SHA256 ", Malformed),
    "scheme-glued": (HEADER.replace("256 C", "256C"), UnsupportedSignature),
    "scheme-lower": (HEADER.replace("AWS4-HMAC", "aws4-hmac"), UnsupportedSignature),
    "scheme-sha1": (HEADER.replace("SHA256 ", "SHA1 "), UnsupportedSignature),
    "version-2": ("AWS AKID:frJIUN8DYpKDtOLCwo//yllqDzg=", UnsupportedSignature),
    "version-4a": (HEADER.replace("AWS4-HMAC", "AWS4-ECDSA-P256"), UnsupportedSignature),
    "basic": ("Basic dXNlcjpwYXNz", UnsupportedSignature),
    "negotiate": ("Negotiate", UnsupportedSignature),
    "rubbish": ("\x00\xff", UnsupportedSignature),
    "no-credential": (HEADER.replace(f"Credential={CREDENTIAL}, ", ""), Malformed),
    "no-signed-headers": (HEADER.replace("SignedHeaders=host;x-amz-date, ", ""), Malformed),
    "no-signature": (HEADER.partition(", Signature")[0], Malformed),
    "twice": (f"{HEADER},{HEADER}", Malformed),
    "credential-twice": (f"{HEADER}, Credential={CREDENTIAL}", Malformed),
    "signature-twice": (f"{HEADER}, Signature={SIGNATURE}", Malformed),
    "unknown-field": (f"{HEADER}, Extra=1", Malformed),
    "trailing-comma": (f"{HEADER},", Malformed),
    "no-equals": (HEADER.replace("Signature=", "Signature "), Malformed),
    "semicolons": (HEADER.replace(", ", "; "), Malformed),
    "field-case": (HEADER.replace("Credential", "credential"), Malformed),
    "credential-empty": (scope(""), Malformed),
    "credential-key-only": (scope("AKID"), Malformed),
    "credential-no-key": (scope("/20261105/eu-west-1/s3/aws4_request"), Malformed),
    "credential-short": (scope("AKID/20261105/s3/aws4_request"), Malformed),
    "credential-space": (scope("AK ID/20261105/eu-west-1/s3/aws4_request"), Malformed),
    "credential-unicode": (scope("AKÜD/20261105/eu-west-1/s3/aws4_request"), Malformed),
    "credential-long": (scope("A" * 5000 + "/20261105/eu-west-1/s3/aws4_request"), Malformed),
    "credential-slashes": (scope("/" * 5000), Malformed),
    "scope-other-day": (scope("AKID/20261104/eu-west-1/s3/aws4_request"), Malformed),
    "scope-bad-date": (scope("AKID/2026115/eu-west-1/s3/aws4_request"), Malformed),
    "scope-digits-of-another-script": (scope("AKID/٢٠٢٦١١٠٥/eu-west-1/s3/aws4_request"), Malformed),
    "scope-bad-region": (scope("AKID/20261105/eu\nwest/s3/aws4_request"), Malformed),
    "scope-other-service": (scope("AKID/20261105/eu-west-1/sts/aws4_request"), Malformed),
    "scope-service-case": (scope("AKID/20261105/eu-west-1/S3/aws4_request"), Malformed),
    "scope-terminator": (scope("AKID/20261105/eu-west-1/s3/aws3_request"), Malformed),
    "signed-headers-empty": (HEADER.replace("host;x-amz-date", ""), Malformed),
    "signed-headers-no-host": (HEADER.replace("host;", ""), Malformed),
    "signed-headers-upper": (HEADER.replace("host;", "Host;"), Malformed),
    "signed-headers-double-semicolon": (HEADER.replace("host;", "host;;"), Malformed),
    "signed-headers-space": (HEADER.replace("host;", "host; "), Malformed),
    "signed-headers-twice": (HEADER.replace("host;", "host;host;"), Malformed),
    "signed-headers-twice-by-underscore": (HEADER.replace("host;", "host;x_amz_date;"), Malformed),
    "signed-headers-no-date": (HEADER.replace("host;x-amz-date", "host"), UnsignedHeaders),
    "signature-empty": (HEADER.replace(SIGNATURE, ""), Malformed),
    "signature-short": (HEADER[:-1], Malformed),
    "signature-long": (HEADER + "0", Malformed),
    "signature-upper": (HEADER.replace(SIGNATURE, SIGNATURE.upper()), Malformed),
    "signature-not-hex": (HEADER.replace(SIGNATURE, "g" * 64), Malformed),
    "signature-unicode": (HEADER.replace(SIGNATURE, "\u0660" * 64), Malformed),
    "signature-newline": (HEADER + "\nx", Malformed),
}


@pytest.mark.parametrize(("value", "error"), AUTHORIZATIONS.values(), ids=AUTHORIZATIONS)
def test_authorization_header(value, error):
    with pytest.raises(error) as raised:
        parse_authorization(authorization(value))
    assert type(raised.value) is error
    assert SIGNATURE not in str(raised.value)


HEAD = {
    "no-date": (without(HEADERS, "x-amz-date"), MissingSecurityHeader),
    "empty-date": (HEADERS | {"x-amz-date": ""}, MissingSecurityHeader),
    "bad-date": (HEADERS | {"x-amz-date": "yesterday"}, Malformed),
    "date-extended": (HEADERS | {"x-amz-date": "2026-11-05T12:30:15Z"}, Malformed),
    "date-local": (HEADERS | {"x-amz-date": "20261105T123015"}, Malformed),
    "date-twice": (HEADERS | {"x-amz-date": "20261105T123015Z,20261105T123015Z"}, Malformed),
    "date-no-such-day": (HEADERS | {"x-amz-date": "20260230T123015Z"}, Malformed),
    "date-no-such-hour": (HEADERS | {"x-amz-date": "20261105T250000Z"}, Malformed),
    "date-year-zero": (HEADERS | {"x-amz-date": "00000101T000000Z"}, Malformed),
    "date-rfc-1123": (HEADERS | {"x-amz-date": "Thu, 05 Nov 2026 12:30:15 GMT"}, Malformed),
    "date-other-day": (HEADERS | {"x-amz-date": "20261106T000000Z"}, Malformed),
    "http-date-bad": (without(HEADERS, "x-amz-date") | {"date": "Thu, 05 Nov"}, Malformed),
    "http-date-zone": (
        without(HEADERS, "x-amz-date") | {"date": "Thu, 05 Nov 2026 12:30:15 +0100"},
        Malformed,
    ),
    "http-date-other-day": (
        without(HEADERS, "x-amz-date") | {"date": "Fri, 06 Nov 2026 12:30:15 GMT"},
        Malformed,
    ),
    "http-date-year-one": (
        without(HEADERS, "x-amz-date") | {"date": "Mon, 01 Jan 0001 00:00:00 GMT"},
        Malformed,
    ),
    "payload-hash-short": (HEADERS | {"x-amz-content-sha256": "ab12"}, InvalidPayloadHash),
    "payload-hash-base64": (
        HEADERS | {"x-amz-content-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
        InvalidPayloadHash,
    ),
    "payload-hash-case": (HEADERS | {"x-amz-content-sha256": "unsigned-payload"}, InvalidPayloadHash),
    "payload-hash-unknown-stream": (
        HEADERS | {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA512-PAYLOAD"},
        InvalidPayloadHash,
    ),
    "payload-hash-events": (
        HEADERS | {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-EVENTS"},
        InvalidPayloadHash,
    ),
    "payload-hash-4a": (
        HEADERS | {"x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"},
        UnsupportedSignature,
    ),
    "payload-hash-4a-trailer": (
        HEADERS | {"x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"},
        UnsupportedSignature,
    ),
    "unsigned-acl": (HEADERS | {"x-amz-acl": "public-read"}, UnsignedHeaders),
    "unsigned-copy-source": (HEADERS | {"x-amz-copy-source": "/b/k"}, UnsignedHeaders),
    "unsigned-token": (HEADERS | {"x-amz-security-token": "t"}, UnsignedHeaders),
}


@pytest.mark.parametrize(("headers", "error"), HEAD.values(), ids=HEAD)
def test_headers(headers, error):
    with pytest.raises(error) as raised:
        parse_authorization(request(headers))
    assert type(raised.value) is error


QUERIES = {
    **{
        f"no-{name}": (without(QUERY, name), BadQuery)
        for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires")
    },
    "no-signed-headers": (without(QUERY, "X-Amz-SignedHeaders"), BadQuery),
    "no-signature": (without(QUERY, "X-Amz-Signature"), BadQuery),
    "algorithm-only": ("X-Amz-Algorithm=AWS4-HMAC-SHA256", BadQuery),
    "signature-only": ("X-Amz-Signature", BadQuery),
    "signature-twice": (urlencode(QUERY) + "&X-Amz-Signature=" + SIGNATURE, BadQuery),
    "signature-twice-by-case": (urlencode(QUERY) + "&x-amz-signature=" + SIGNATURE, BadQuery),
    "signature-twice-by-encoding": (urlencode(QUERY) + "&X%2dAmz%2DSignature=" + SIGNATURE, BadQuery),
    "credential-twice": (urlencode(QUERY) + "&X-Amz-Credential=" + CREDENTIAL, BadQuery),
    "algorithm-4a": (QUERY | {"X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256"}, UnsupportedSignature),
    "algorithm-none": (QUERY | {"X-Amz-Algorithm": "none"}, UnsupportedSignature),
    "version-2": (
        {"AWSAccessKeyId": "AKID", "Expires": "1141889120", "Signature": "vjbyPxybdZaNmGa="},
        UnsupportedSignature,
    ),
    "credential": (QUERY | {"X-Amz-Credential": "AKID"}, BadQuery),
    "credential-bytes": (QUERY | {"X-Amz-Credential": "\udcff"}, BadQuery),
    "scope-other-day": (QUERY | {"X-Amz-Date": "20261106T123015Z"}, BadQuery),
    "scope-other-service": (QUERY | {"X-Amz-Credential": CREDENTIAL.replace("s3", "ec2")}, BadQuery),
    "scope-terminator": (QUERY | {"X-Amz-Credential": CREDENTIAL + "x"}, BadQuery),
    "date": (QUERY | {"X-Amz-Date": "now"}, BadQuery),
    "expires-word": (QUERY | {"X-Amz-Expires": "soon"}, BadQuery),
    "expires-negative": (QUERY | {"X-Amz-Expires": "-1"}, BadQuery),
    "expires-plus": (QUERY | {"X-Amz-Expires": "+1"}, BadQuery),
    "expires-float": (QUERY | {"X-Amz-Expires": "1.5"}, BadQuery),
    "expires-underscore": (QUERY | {"X-Amz-Expires": "1_0"}, BadQuery),
    "expires-over-a-week": (QUERY | {"X-Amz-Expires": "604801"}, BadQuery),
    "expires-huge": (QUERY | {"X-Amz-Expires": "9" * 10_000}, BadQuery),
    "expires-other-digits": (QUERY | {"X-Amz-Expires": "٦٠"}, BadQuery),
    "signed-headers-no-host": (QUERY | {"X-Amz-SignedHeaders": "range"}, BadQuery),
    "signature": (QUERY | {"X-Amz-Signature": "abc"}, BadQuery),
    "payload-hash": (QUERY | {"X-Amz-Content-Sha256": "abc"}, InvalidPayloadHash),
}


@pytest.mark.parametrize(("query", "error"), QUERIES.values(), ids=QUERIES)
def test_query(query, error):
    raw = query if isinstance(query, str) else urlencode(query, errors="surrogateescape")

    with pytest.raises(error) as raised:
        parse_authorization(presigned(raw))
    assert type(raised.value) is error
    assert SIGNATURE not in str(raised.value)


def test_header_and_query_together():
    with pytest.raises(MultipleAuthMechanisms):
        parse_authorization(request(HEADERS, urlencode(QUERY)))


def test_bearer_and_query_together():
    with pytest.raises(MultipleAuthMechanisms):
        parse_authorization(presigned(headers={"authorization": "Bearer abc"}))


def test_presigned_payload_hash_that_differs_from_the_header():
    query = QUERY | {"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}

    with pytest.raises(InvalidPayloadHash):
        parse_authorization(presigned(query, headers={"x-amz-content-sha256": "0" * 64}))


def test_presigned_with_an_unsigned_amz_header():
    with pytest.raises(UnsignedHeaders, match="x-amz-meta-a"):
        parse_authorization(presigned(headers={"x-amz-meta-a": "1"}))


FORMS = {
    **{f"no-{name}": (without(FORM, name), BadQuery) for name in FORM},
    "policy-empty": (FORM | {"policy": ""}, BadQuery),
    "algorithm": (FORM | {"x-amz-algorithm": "AWS4-HMAC-SHA1"}, UnsupportedSignature),
    "algorithm-4a": (FORM | {"x-amz-algorithm": "AWS4-ECDSA-P256-SHA256"}, UnsupportedSignature),
    "credential": (FORM | {"x-amz-credential": "AKID"}, BadQuery),
    "service": (FORM | {"x-amz-credential": CREDENTIAL.replace("s3", "ec2")}, BadQuery),
    "day": (FORM | {"x-amz-date": "20261106T000000Z"}, BadQuery),
    "date": (FORM | {"x-amz-date": "x"}, BadQuery),
    "signature": (FORM | {"x-amz-signature": SIGNATURE[1:]}, BadQuery),
    "version-2": ({"awsaccesskeyid": "AKID", "policy": "e30=", "signature": "x="}, UnsupportedSignature),
}


@pytest.mark.parametrize(("fields", "error"), FORMS.values(), ids=FORMS)
def test_form(fields, error):
    with pytest.raises(error) as raised:
        parse_post_form(fields)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(request({"host": "h"}), id="nothing"),
        pytest.param(request({"host": "h", "authorization": " "}), id="empty"),
        pytest.param(authorization("Bearer abc"), id="bearer"),
        pytest.param(authorization("bearer"), id="bearer-lower"),
        pytest.param(request({"host": "h"}, "uploads"), id="query"),
        pytest.param(request({"host": "h"}, "X-Amz-Meta=1&Signature=1"), id="look-alike"),
        pytest.param(request({"host": "h", "x-amz-date": "20261105T123015Z"}), id="date"),
    ],
)
def test_no_signature_at_all(parts):
    assert parse_authorization(parts) is None


def test_form_without_signature():
    assert parse_post_form({"key": "a", "policy": "e30="}) is None


ACCEPTED = {
    "as-is": (HEADER, "AKID", "eu-west-1"),
    "no-spaces": (HEADER.replace(", ", ","), "AKID", "eu-west-1"),
    "wide-spaces": (HEADER.replace(", ", " ,  "), "AKID", "eu-west-1"),
    "key-with-slash-and-dash": (scope("team/a-b/20261105/auto/s3/aws4_request"), "team/a-b", "auto"),
    "no-region": (scope("AKID/20261105//s3/aws4_request"), "AKID", ""),
    "unsorted": (HEADER.replace("host;x-amz-date", "x-amz-date;host"), "AKID", "eu-west-1"),
}


@pytest.mark.parametrize(("value", "key", "region"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(value, key, region):
    signed = parse_authorization(authorization(value))

    assert (signed.access_key_id, signed.scope.region) == (key, region)
    assert signed.signed_headers == ("host", "x-amz-date")
    assert signed.timestamp == "20261105T123015Z"


@pytest.mark.parametrize("expires", [0, 1, 604_800])
def test_accepted_expires(expires):
    signed = parse_authorization(presigned(QUERY | {"X-Amz-Expires": str(expires)}))

    assert (signed.source, signed.expires_seconds) == ("query", expires)


@pytest.mark.parametrize(
    "date", ["Thu, 05 Nov 2026 12:30:15 GMT", "Thu, 05 Nov 2026 12:30:15 -0000", "20261105T123015Z"]
)
def test_accepted_date_header(date):
    headers = without(HEADERS, "x-amz-date") | {"date": date}

    assert parse_authorization(request(headers)).timestamp == "20261105T123015Z"


FRAGMENTS = ["AWS4-HMAC-SHA256", " ", ",", "=", "/", ";", "&", "%", "Credential=", CREDENTIAL]
FRAGMENTS += ["SignedHeaders=", "host", "Signature=", SIGNATURE, "X-Amz-", "Signature", "20261105", "\x00"]
PIECES = st.sampled_from(FRAGMENTS) | st.text(max_size=5)
TEXTS = st.text() | st.lists(PIECES, max_size=12).map("".join) | st.just(HEADER)
HEADER_NAMES = st.sampled_from([*HEADERS, "date", "x-amz-security-token", "x-amz-acl"])
QUERY_NAMES = st.sampled_from([*QUERY, "X-Amz-Security-Token", "X-Amz-Content-Sha256", "uploads"])


@given(
    st.dictionaries(HEADER_NAMES, TEXTS).map(lambda drawn: HEADERS | drawn)
    | st.dictionaries(HEADER_NAMES, TEXTS),
    TEXTS,
    st.text(),
)
def test_only_auth_errors_escape_from_headers(headers, query, host):
    survive(RequestParts("PUT", host.encode("utf-8", "surrogatepass"), query, headers, host=host))


@given(st.dictionaries(QUERY_NAMES, TEXTS), st.dictionaries(HEADER_NAMES, TEXTS), TEXTS)
def test_only_auth_errors_escape_from_queries(drawn, headers, more):
    query = urlencode(QUERY | drawn, errors="surrogatepass")
    survive(RequestParts("PUT", b"/b/k", f"{query}&{more}", without(headers, "authorization")))


def survive(parts):
    with contextlib.suppress(AuthError):
        signed = parse_authorization(parts)
        if signed is not None:
            verify(parts, signed, "secret", now=1793881815.0, max_clock_skew_seconds=900)


@given(st.dictionaries(st.sampled_from([*FORM, "x-amz-security-token", "signature"]), TEXTS))
def test_only_auth_errors_escape_from_forms(drawn):
    fields = FORM | drawn
    with contextlib.suppress(AuthError):
        signed = parse_post_form(fields)
        assert signed is not None
        verify_post_policy(fields["policy"], signed, "secret", now=1793881815.0, max_clock_skew_seconds=900)
