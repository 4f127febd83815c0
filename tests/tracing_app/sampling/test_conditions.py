"""The conditions of sampling rules: every operator on every kind of field, and what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracing_app.sampling.traces import trace
from tracing_app.sampling.expression import RuleError, parse_condition

UPLOAD = trace(
    {
        "rpc.method": "S3/PutObject",
        "aws.s3.bucket": "uploads",
        "http.route": "/{bucket}/{key}",
        "http.request.method": "PUT",
        "http.response.status_code": 503,
        "user_agent.name": "Boto3",
        "custom.flag": True,
        "custom.number": 1,
        "custom.text": "a (b), c",
    },
    children=[
        {"user.hash": "abc123"},
        {
            "mizuchi.upload.bytes": 5 * 1024 * 1024,
            "mizuchi.upload.receive_wait_ms": 1500.5,
            "mizuchi.upload.backend_wait_ms": 20,
            "error.type": "ServiceUnavailable",
            "tag": "one",
        },
        {"tag": "two"},
    ],
    milliseconds=2500,
    is_error=True,
)
BARE = trace({"rpc.method": "S3/HeadBucket", "http.response.status_code": 200})

TABLE = [
    ("operation = PutObject", True, False),
    ("operation != PutObject", False, True),
    ("operation in (UploadPart, PutObject)", True, False),
    ("operation not-in (UploadPart, PutObject)", False, True),
    ("operation starts-with Put", True, False),
    ("operation contains Obj", True, False),
    ("operation matches '^Put(Object|Part)$'", True, False),
    ("operation exists", True, True),
    ("bucket exists", True, False),
    ("not bucket exists", False, True),
    ("bucket = uploads", True, False),
    ("bucket != uploads", False, True),
    ("bucket not-in (uploads)", False, True),
    ('bucket = "uploads"', True, False),
    ("route = '/{bucket}/{key}'", True, False),
    ("method = PUT", True, False),
    ("name = 'PUT s3.PutObject'", True, True),
    ("status = 503", True, False),
    ("status != 503", False, True),
    ("status >= 500", True, False),
    ("status > 503", False, False),
    ("status < 500", False, True),
    ("status <= 200", False, True),
    ("status in (200, 204)", False, True),
    ("error = ServiceUnavailable", True, False),
    ("error exists", True, False),
    ("failed = true", True, False),
    ("failed = false", False, True),
    ("failed != true", False, True),
    ("duration > 2s", True, False),
    ("duration > 2500ms", False, False),
    ("duration >= 2500ms", True, False),
    ("duration < 0.1s", False, True),
    ("duration < 1m", True, True),
    ("duration <= 5000us", False, True),
    ("bytes >= 5MiB", True, False),
    ("bytes > 5MiB", False, False),
    ("bytes >= 5242880", True, False),
    ("bytes < 6MB", True, False),
    ("bytes exists", True, False),
    ("receive_wait > 1.5s", True, False),
    ("backend_wait < 1s", True, False),
    ("client = Boto3", True, False),
    ("principal = abc123", True, False),
    ("principal in (x, abc123)", True, False),
    ("spans = 4", True, False),
    ("spans < 2", False, True),
    ("root.custom.flag = true", True, False),
    ("root.custom.number = true", False, False),
    ("root.custom.number = 1", True, False),
    ("root.custom.text = 'a (b), c'", True, False),
    ("root.custom.text contains '(b),'", True, False),
    ("root.tag exists", False, False),
    ("any.tag = two", True, False),
    ("any.tag != two", False, True),
    ("any.tag in (three, one)", True, False),
    ("any.tag not-in (three, one)", False, True),
    ("any.mizuchi.upload.bytes > 1000", True, False),
    ("any.tag > 1", False, False),
    ("bucket = uploads and status = 503", True, False),
    ("bucket = uploads and status = 200", False, False),
    ("status = 200 or bucket = uploads", True, True),
    ("not (status = 200 or bucket = uploads)", False, False),
    ("status = 1 or bucket = uploads and duration > 1s", True, False),
    ("(status = 503 or bucket = x) and duration > 9s", False, False),
    ("not not bucket exists", True, False),
    ("  bucket='uploads'and(status>=500)  ", True, False),
    ("bucket = 'and'", False, False),
]


@pytest.mark.parametrize(("text", "upload", "bare"), TABLE, ids=[row[0] for row in TABLE])
def test_a_condition(text: str, upload: bool, bare: bool) -> None:
    condition = parse_condition(text)

    assert condition(UPLOAD.spans) is upload
    assert condition(BARE.spans) is bare


FAULTS = [
    ("", 1, "a field is missing"),
    ("bucket", 7, "an operator is missing"),
    ("bucket =", 9, "a value is missing"),
    ("bucket = a b", 12, "comes after the end"),
    ("bucket == a", 9, "a value must come here"),
    ("nonsense = 1", 1, "is no field"),
    ("any. = 1", 1, "is no field"),
    ("bucket like a", 8, "is no operator"),
    ("bucket in a", 11, "'(' is missing"),
    ("bucket in (a", 13, "')' is missing"),
    ("bucket in ()", 12, "a value must come here"),
    ("(bucket = a", 12, "')' is missing"),
    ("bucket = a)", 11, "comes after the end"),
    ("status = many", 10, "must be a number"),
    ("status = '503'", 10, "not with texts"),
    ("status > 5s", 10, "must be a number"),
    ("duration > 2x", 12, "must be a duration"),
    ("bytes > 2s", 9, "must be a size"),
    ("failed = yes", 10, "must be true or false"),
    ("bucket > a", 8, "compares numbers"),
    ("failed > true", 8, "compares numbers"),
    ("status contains 5", 8, "is for texts"),
    ("bucket matches '('", 16, "no regular expression"),
    ("bucket = 'open", 10, "is not understood"),
    ("bucket = a and", 15, "a field is missing"),
    ("and bucket = a", 1, "is no field"),
    ("bucket = a or or status = 1", 15, "is no field"),
    ("not " * 30 + "bucket exists", 85, "nested too deep"),
    ("(" * 30 + "bucket exists" + ")" * 30, 22, "nested too deep"),
    ("bucket = " + "a" * 2000, 2001, "longer than"),
]


@pytest.mark.parametrize(("text", "column", "problem"), FAULTS, ids=[f"{n}" for n in range(len(FAULTS))])
def test_a_fault_is_told_with_its_place(text: str, column: int, problem: str) -> None:
    with pytest.raises(RuleError, match=r".*") as caught:
        parse_condition(text)

    assert problem in str(caught.value)
    assert caught.value.column == column


WORDS = ("bucket", "status", "=", ">", "in", "(", ")", ",", "and", "or", "not", "1", "'a'")


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except RuleError as error:
        column = error.column
    else:
        column = 1
        assert condition(UPLOAD.spans) in (True, False)
    assert 1 <= column <= len(text) + 1


def test_a_regular_expression_cannot_take_for_ever() -> None:
    condition = parse_condition("root.custom.text matches '^(a+)+$'")

    assert condition(trace({"custom.text": "a" * 4000 + "!"}).spans) is False
