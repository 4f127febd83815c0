"""POST policies: reading them and holding forms to them."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3.errors import (
    EntityTooLarge,
    EntityTooSmall,
    InvalidPolicyDocument,
    PolicyConditionFailed,
    S3Error,
)
from uploads.s3.post_policy import ContentLengthRange, Exact, Policy, StartsWith, evaluate, parse_policy

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
LATER = "2026-01-01T01:00:00.000Z"


def encoded(document: object) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.b64encode(raw).decode()


def policy(*conditions: object, expiration: object = LATER) -> str:
    return encoded({"expiration": expiration, "conditions": list(conditions)})


CONDITIONS = [
    ({"acl": "private"}, Exact("acl", "private")),
    ({"Content-Type": "a/b"}, Exact("content-type", "a/b")),
    (["eq", "$key", "k"], Exact("key", "k")),
    (["EQ", "$Key", "K"], Exact("key", "K")),
    (["starts-with", "$key", ""], StartsWith("key", "")),
    (["Starts-With", "$X-Amz-Meta-A", "v"], StartsWith("x-amz-meta-a", "v")),
]


@pytest.mark.parametrize(("entry", "condition"), CONDITIONS)
def test_conditions(entry, condition):
    assert parse_policy(policy(entry)) == Policy(datetime(2026, 1, 1, 1, tzinfo=UTC), (condition,), None)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([["content-length-range", 1, 10]], ContentLengthRange(1, 10)),
        ([["content-length-range", "0", "10485760"]], ContentLengthRange(0, 10485760)),
        ([["content-length-range", 1, 10], ["content-length-range", 5, 20]], ContentLengthRange(5, 10)),
        ([], None),
    ],
)
def test_length_range(entries, expected):
    assert parse_policy(policy(*entries)).length_range == expected


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T01:00:00Z", "2026-01-01T01:00:00.000Z", "2026-01-01T02:00:00+01:00", "20260101T010000Z"],
)
def test_expiration(text):
    assert parse_policy(policy(expiration=text)).expiration == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_white_space_in_base64_is_ignored():
    text = policy({"acl": "private"})
    assert parse_policy(f"{text[:20]}\r\n {text[20:]}\n") == parse_policy(text)


MALFORMED = {
    "nothing": "",
    "not Base64": "?",
    "not ASCII": "ü",
    "not JSON": encoded(b"{"),
    "not UTF-8": encoded(b'{"expiration": "\xff"}'),
    "too deep": encoded(b"[" * 100_000),
    "deep conditions": policy(json.loads("[" * 500 + "]" * 500)),
    "huge number": encoded(b'{"expiration": ' + b"9" * 5000 + b"}"),
    "a list": encoded([]),
    "no expiration": encoded({"conditions": []}),
    "no conditions": encoded({"expiration": LATER}),
    "more keys": encoded({"expiration": LATER, "conditions": [], "version": 1}),
    "a key twice": encoded(
        b'{"expiration": "2026-01-01T01:00:00Z", "conditions": [{"key": "a", "key": "b"}]}'
    ),
    "conditions no list": encoded({"expiration": LATER, "conditions": {"acl": "private"}}),
    "expiration a number": policy(expiration=1_900_000_000),
    "expiration without zone": policy(expiration="2026-01-01T01:00:00"),
    "expiration a date": policy(expiration="2026-01-01"),
    "expiration no date": policy(expiration="soon"),
    "expiration out of range": policy(expiration="0001-01-01T00:00:00+23:59"),
    "a string": policy("acl"),
    "null": policy(None),
    "an empty list": policy([]),
    "two elements": policy(["eq", "$key"]),
    "four elements": policy(["eq", "$key", "a", "b"]),
    "no dollar": policy(["eq", "key", "a"]),
    "only a dollar": policy(["eq", "$", "a"]),
    "unknown operation": policy(["ends-with", "$key", "a"]),
    "a number to equal": policy(["eq", "$key", 1]),
    "a number in a pair": policy({"success_action_status": 201}),
    "range of nothing": policy(["content-length-range", 2, 1]),
    "range below zero": policy(["content-length-range", -1, 1]),
    "range of fractions": policy(["content-length-range", 0, 1.5]),
    "range of words": policy(["content-length-range", "a", "b"]),
    "range of booleans": policy(["content-length-range", False, True]),
    "range without end": policy(["content-length-range", 0]),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_refuses_malformed_policies(case):
    with pytest.raises(InvalidPolicyDocument):
        parse_policy(MALFORMED[case])


HOLDING = {
    "exact": ([{"key": "k"}], {"key": "k"}),
    "starts with": ([["starts-with", "$key", "in/"]], {"key": "in/k"}),
    "anything": ([["starts-with", "$key", ""]], {"key": ""}),
    "bucket": ([{"bucket": "b"}, {"key": "k"}], {"key": "k"}),
    "bucket as a field": ([{"bucket": "b"}, {"key": "k"}], {"key": "k", "bucket": "b"}),
    "both kinds": ([["starts-with", "$key", "a"], ["eq", "$key", "ab"]], {"key": "ab"}),
    "content types": ([["starts-with", "$Content-Type", "image/"]], {"content-type": "image/png, image/gif"}),
    "exempt fields": (
        [{"key": "k"}],
        {"key": "k", "policy": "p", "x-amz-signature": "s", "file": "f", "x-ignore-a": "1"},
    ),
    "no fields": ([], {}),
}


@pytest.mark.parametrize("case", HOLDING)
def test_holds(case):
    conditions, fields = HOLDING[case]
    assert evaluate(parse_policy(policy(*conditions)), fields, bucket="b", now=NOW) is None


FAILING = {
    "another value": ([{"key": "k"}], {"key": "K"}, '["eq", "$key", "k"]'),
    "another prefix": ([["starts-with", "$key", "in/"]], {"key": "out/k"}, '["starts-with", "$key", "in/"]'),
    "space before": ([["starts-with", "$key", "in/"]], {"key": " in/k"}, '["starts-with", "$key", "in/"]'),
    "prefix with comma": ([["starts-with", "$key", "in/"]], {"key": "k,in/k"}, '"starts-with", "$key"'),
    "another bucket": ([{"bucket": "c"}], {}, '["eq", "$bucket", "c"]'),
    "another bucket, claimed": ([{"bucket": "c"}], {"bucket": "c"}, '["eq", "$bucket", "c"]'),
    "missing field": ([["starts-with", "$acl", ""]], {}, '["starts-with", "$acl", ""]'),
    "one of two types": (
        [["starts-with", "$Content-Type", "image/"]],
        {"content-type": "image/png,text/html"},
        "$content-type",
    ),
    "one of two conditions": (
        [{"acl": "private"}, {"acl": "public-read"}],
        {"acl": "private"},
        "public-read",
    ),
    "extra field": ([{"key": "k"}], {"key": "k", "acl": "private"}, "Extra input fields: acl"),
    "extra metadata": ([{"key": "k"}], {"key": "k", "x-amz-meta-a": "1"}, "Extra input fields: x-amz-meta-a"),
    "extra credential": ([], {"x-amz-credential": "c"}, "Extra input fields: x-amz-credential"),
    "almost ignored": ([], {"x-ignored": "c"}, "Extra input fields: x-ignored"),
    "nothing allowed": ([], {"key": "k"}, "Extra input fields: key"),
}


@pytest.mark.parametrize("case", FAILING)
def test_fails(case):
    conditions, fields, named = FAILING[case]
    with pytest.raises(PolicyConditionFailed) as refusal:
        evaluate(parse_policy(policy(*conditions)), fields, bucket="b", now=NOW)
    assert named in refusal.value.message


@pytest.mark.parametrize("late", [3600, 3601, 10**9])
def test_expires(late):
    parsed = parse_policy(policy())
    assert evaluate(parsed, {}, bucket="b", now=NOW + 3599.9) is None
    with pytest.raises(PolicyConditionFailed, match="expired"):
        evaluate(parsed, {}, bucket="b", now=NOW + late)


def test_evaluate_returns_the_range():
    parsed = parse_policy(policy(["content-length-range", 1, 10]))
    assert evaluate(parsed, {}, bucket="b", now=NOW) == ContentLengthRange(1, 10)


class Blocks:
    def __init__(self, *sizes: int) -> None:
        self.blocks = [b"x" * size for size in sizes]

    copied_by = "form"

    def read_into(self, buffer: memoryview, /) -> int:
        block = self.blocks.pop(0) if self.blocks else b""
        buffer[: len(block)] = block
        return len(block)


def drain(source) -> int:
    assert source.copied_by == "form"
    return sum(iter(lambda: source.read_into(memoryview(bytearray(10))), 0))


@pytest.mark.parametrize("sizes", [(3,), (2, 3), (5,)])
def test_the_range_lets_through(sizes):
    assert drain(ContentLengthRange(3, 5).guard(Blocks(*sizes))) == sum(sizes)


@pytest.mark.parametrize(
    ("sizes", "error"), [((), EntityTooSmall), ((2,), EntityTooSmall), ((3, 3), EntityTooLarge)]
)
def test_the_range_stops(sizes, error):
    with pytest.raises(error):
        drain(ContentLengthRange(3, 5).guard(Blocks(*sizes)))


def test_what_the_sdk_presigns():
    client = boto3.client("s3", "us-east-1", aws_access_key_id="AK", aws_secret_access_key="sk")
    fields = {"acl": "private", "x-amz-meta-a": "1", "success_action_status": "201"}
    conditions = [{name: value} for name, value in fields.items()]
    conditions += [["content-length-range", 1, 1024], ["starts-with", "$Content-Type", "text/"]]
    post = client.generate_presigned_post("bucket", "in/${filename}", Fields=fields, Conditions=conditions)
    sent = {name.lower(): value for name, value in post["fields"].items()}
    sent |= {"key": "in/a.txt", "content-type": "text/plain"}
    parsed = parse_policy(sent["policy"])
    before = parsed.expiration.timestamp() - 1
    assert evaluate(parsed, sent, bucket="bucket", now=before) == ContentLengthRange(1, 1024)
    with pytest.raises(PolicyConditionFailed, match="bucket"):
        evaluate(parsed, sent, bucket="other", now=before)
    with pytest.raises(PolicyConditionFailed, match="acl"):
        evaluate(parsed, {**sent, "acl": "public-read"}, bucket="bucket", now=before)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["eq", "$key", LATER]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
)
DOCUMENTS = (
    st.fixed_dictionaries({"expiration": st.text() | st.just(LATER), "conditions": st.lists(JSON)}) | JSON
)
FIELDS = st.dictionaries(st.text() | st.sampled_from(["key", "acl"]), st.text())


@given(st.text() | DOCUMENTS.map(encoded) | st.binary().map(encoded), FIELDS)
def test_only_s3_errors_escape(text, fields):
    with suppress(S3Error):
        evaluate(parse_policy(text), fields, bucket="b", now=NOW)


@given(st.datetimes(timezones=st.timezones()).map(datetime.isoformat))
def test_any_expiration_can_be_compared(text):
    with suppress(S3Error):
        evaluate(parse_policy(policy(expiration=text)), {}, bucket="b", now=NOW)
