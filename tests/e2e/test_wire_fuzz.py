"""Whatever comes over the wire is answered on purpose: no 500, no traceback, and the server lives on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.gateway import FILES, LIMITED, SEAWEED, Gateway
from tests.e2e.wire.body_forms import FORMS, put_of
from tests.e2e.wire.client import Request, connected
from tests.e2e.wire.scene import BODY, Scene, crc32_of, md5_of, parts_xml, surprises_in

EXAMPLES = 300
BY_DESIGN = {501, 503}
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

METHODS = ["PUT", "POST", "GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "put", "BREW"]
SEGMENTS = [
    "a",
    "..",
    ".",
    "",
    "%00",
    "%ff",
    "%2f",
    "%2F..",
    "+",
    "%25",
    "ü".encode().decode("latin-1"),
    "k" * 300,
    "~",
]
BUCKETS = [FILES, SEAWEED, LIMITED, "nosuchbucket", "..", "%2e%2e", "FILES", "admin", "static", "x"]
QUERIES = [
    "uploads",
    "uploads=",
    "uploadId=",
    "uploadId=x",
    "partNumber=1",
    "partNumber=0",
    "partNumber=%00",
    "acl",
    "location",
    "delete",
    "list-type=2",
    "versionId=1",
    "max-parts=9999999999",
    "part-number-marker=-1",
    "max-uploads=0",
    "prefix=%ff",
    "key-marker=a",
    "upload-id-marker=b",
    "encoding-type=url",
    "X-Amz-Signature=0",
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    "X-Amz-Credential=%2F%2F%2F%2F",
    "X-Amz-Expires=-1",
    "Signature=a&AWSAccessKeyId=b",
    "=",
    "&",
    "a=%",
    "%zz=1",
    "x-amz-meta-a=%0A",
]
HEADERS: list[tuple[str, list[str]]] = [
    ("Content-Length", ["0", "1", "-1", "99999999999999999999", "4, 4", ""]),
    ("Transfer-Encoding", ["chunked", "gzip", "chunked, chunked", ""]),
    ("Content-Type", ["multipart/form-data; boundary=b", "multipart/form-data", "text/plain; x", "\xff", ""]),
    ("Content-MD5", [md5_of(BODY), "?", ""]),
    ("Expect", ["100-continue", "200-maybe"]),
    (
        "Host",
        ["", "files.s3.gateway.test", ".s3.gateway.test", "a..s3.gateway.test", "\xff", "[::1", "x" * 300],
    ),
    ("Range", ["bytes=0-1", "bytes=9-1"]),
    ("If-None-Match", ["*", '"a"', ""]),
    ("If-Match", ['"a"', "*", 'W/"a"']),
    ("Date", ["Tue, 99 Xxx 2026 99:99:99 GMT", ""]),
    ("X-Forwarded-Host", ["evil.example", "\xff"]),
    ("traceparent", ["00-0-0-0", "ff-" + "f" * 32 + "-" + "f" * 16 + "-00"]),
    ("x-amz-date", ["20261124T000000Z", "20260230T000000Z", "x", "\xff"]),
    (
        "x-amz-content-sha256",
        [
            "UNSIGNED-PAYLOAD",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "0" * 64,
            "\xff",
            "",
        ],
    ),
    ("x-amz-decoded-content-length", ["0", "-1", "9" * 25, "\xb2"]),
    ("x-amz-trailer", ["x-amz-checksum-crc32", "x-amz-checksum-crc16", "x", ""]),
    ("x-amz-checksum-crc32", [crc32_of(BODY), "AAAAAA==", "\xff", ""]),
    ("x-amz-checksum-algorithm", ["CRC32", "x"]),
    ("x-amz-tagging", ["a=b", "&&&", "%ff"]),
    ("x-amz-meta-a", ["b", "\xff\xfe", "=?UTF-8?B?w6Q=?=", "=?x?y?z?=", "b" * 3000]),
    ("x-amz-storage-class", ["STANDARD", "x"]),
    ("x-amz-mp-object-size", ["1", "x"]),
    ("x-amz-copy-source", ["/a/b"]),
    ("x-amz-security-token", ["t"]),
    (
        "Authorization",
        [
            "",
            "Bearer x",
            "AWS a:b",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=",
            "\xff",
        ],
    ),
]
BODIES = [
    b"",
    BODY,
    b"0\r\n\r\n",
    b"4\r\nabcd\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"--b\r\n",
    parts_xml([(1, "x")]),
    b"<!DOCTYPE x>",
    b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nf\r\n--b--\r\n',
]

headers = st.sampled_from(HEADERS).flatmap(lambda h: st.tuples(st.just(h[0]), st.sampled_from(h[1])))
paths = st.tuples(st.sampled_from(BUCKETS), st.lists(st.sampled_from(SEGMENTS), max_size=3)).map(
    lambda found: "/" + "/".join([found[0], *found[1]])
)
queries = st.lists(st.sampled_from(QUERIES), max_size=3).map("&".join)
bodies = st.sampled_from(BODIES) | st.binary(max_size=200)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request out of parts that each mean something to some layer of the gateway."""
    body = draw(bodies)
    found = dict(draw(st.lists(headers, max_size=5)))
    return Request(
        method=draw(st.sampled_from(METHODS)),
        path=draw(paths),
        query=draw(queries),
        headers=tuple({"Host": "127.0.0.1", "Content-Length": str(len(body)), **found}.items()),
        body=body,
    )


@pytest.fixture(autouse=True)
def lives_on(gateway: Gateway, gateway_log: Callable[[], str]) -> Iterator[None]:
    """After all of it the gateway still serves, and logged nothing that nobody foresaw."""
    yield
    scene = Scene(gateway, FILES)
    scene.stored()
    assert scene.read() == BODY
    assert surprises_in(gateway_log()) == []


@pytest.mark.slow
@FUZZ
@given(request=requests(), is_signed=st.booleans())
def test_requests_out_of_odd_parts(request: Request, is_signed: bool, gateway: Gateway) -> None:
    scene = Scene(gateway, FILES)
    if is_signed:
        request = scene.owner.sign(request) if not request.header("authorization") else request

    assert_answered_on_purpose(scene, request.head() + request.body)


@pytest.mark.slow
@FUZZ
@given(
    form=st.sampled_from([*FORMS]),
    at=st.integers(0, 10_000),
    change=st.binary(max_size=6),
    drop=st.integers(0, 6),
)
def test_good_requests_with_bytes_changed(
    form: str, at: int, change: bytes, drop: int, gateway: Gateway
) -> None:
    scene = Scene(gateway, FILES)
    request = FORMS[form](put_of(scene, b"one chunk", b"and two"), scene.owner)
    data = request.head() + request.body
    at %= len(data)

    assert_answered_on_purpose(scene, data[:at] + change + data[at + drop :])


@pytest.mark.slow
@FUZZ
@given(data=st.binary(max_size=300) | st.text(alphabet=":/ \r\n\tGETPUHTP1.0%", max_size=300).map(str.encode))
def test_no_requests_at_all(data: bytes, gateway: Gateway) -> None:
    assert_answered_on_purpose(Scene(gateway, FILES), data)


def assert_answered_on_purpose(scene: Scene, data: bytes) -> None:
    """Every answer on the connection; that there is none is right for what is no whole request."""
    with connected(scene.port) as connection:
        connection.send(data)
        connection.end()
        statuses = connection.statuses()
    assert not [status for status in statuses if status >= 500 and status not in BY_DESIGN], statuses
