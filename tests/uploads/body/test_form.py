"""POST forms as streams, split at every byte."""

import io
import tracemalloc

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import Request

from uploads.body.form import FormReader
from uploads.s3.errors import (
    IncompleteBody,
    InvalidArgument,
    MalformedPOSTRequest,
    MaxPostPreDataLengthExceeded,
    NotImplemented,
    S3Error,
)

TYPE = "multipart/form-data; boundary=b"


class Trickle:
    """A source that gives at most ``step`` bytes at a time, and counts what was asked of it."""

    def __init__(self, body: bytes, step: int = 2**30) -> None:
        self.stream, self.step = io.BytesIO(body), step

    def read(self, size: int, /) -> bytes:
        assert size > 0
        return self.stream.read(min(size, self.step))


def part(name: str, value: bytes, more: str = "", headers: str = "") -> bytes:
    return (
        f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{headers}\r\n'.encode()
        + value
        + b"\r\n"
    )


FILE = part("file", b"content", '; filename="a.txt"', "Content-Type: text/plain\r\n")
END = b"--b--\r\n"


def reader(body: bytes, step: int = 2**30, content_length: int | None = None) -> FormReader:
    return FormReader(Trickle(body, step), TYPE, content_length)


def read_all(form: FormReader, size: int = 5) -> tuple[dict[str, str], bytes]:
    fields = form.read_fields()
    return fields, b"".join(iter(lambda: read_block(form, size), b""))


def read_block(form: FormReader, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: form.file_source().read_into(memoryview(buffer))])


FORMS = {
    "a file alone": (FILE + END, {}, b"content"),
    "a field": (part("Key", b"k") + FILE + END, {"key": "k"}, b"content"),
    "fields in UTF-8": (
        part("x-amz-meta-My_Key", "ü".encode()) + part("acl", b"") + FILE + END,
        {"x-amz-meta-my_key": "ü", "acl": ""},
        b"content",
    ),
    "fields after the file": (FILE + part("key", b"late") + part("file", b"second") + END, {}, b"content"),
    "a damaged field after the file": (FILE + part("key", b"\xff") + part("", b"") + END, {}, b"content"),
    "an empty file": (part("file", b"") + END, {}, b""),
    "FILE": (part("FILE", b"x") + END, {}, b"x"),
    "another file field": (part("photo", b"x", '; filename="p"') + FILE + END, {"photo": "x"}, b"content"),
    "almost boundaries": (
        part("file", b"\r\n--\r\n--\r\n-b\r\n\r\n--c\r\r\n--") + END,
        {},
        b"\r\n--\r\n--\r\n-b\r\n\r\n--c\r\r\n--",
    ),
    "longer boundaries": (
        part("file", b"\r\n--bb\r\n--b-\r\n--b\r-") + END,
        {},
        b"\r\n--bb\r\n--b-\r\n--b\r-",
    ),
    "lines in a value": (part("k", b"a\r\nb\r\n--") + FILE + END, {"k": "a\r\nb\r\n--"}, b"content"),
    "a line before": (b"\r\n" + FILE + END, {}, b"content"),
    "an epilogue": (FILE + END + b"anything --b\r\n", {}, b"content"),
    "no last line end": (FILE + b"--b--", {}, b"content"),
    "space behind a boundary": (
        part("k", b"v") + FILE.replace(b"--b", b"--b \t", 1) + END,
        {"k": "v"},
        b"content",
    ),
    "plain transfer encoding": (
        part("file", b"x", headers="Content-Transfer-Encoding: Binary\r\n") + END,
        {},
        b"x",
    ),
}


@pytest.mark.parametrize("step", [1, 2, 3, 7, 2**30])
@pytest.mark.parametrize("case", FORMS)
def test_forms(case, step):
    body, fields, content = FORMS[case]
    assert read_all(reader(body, step)) == (fields, content)
    assert read_all(reader(body, step, len(body))) == (fields, content)


def test_the_headers_of_the_file():
    form = reader(FILE + END)
    assert (form.filename, form.file_content_type) == (None, None)
    form.read_fields()
    assert (form.filename, form.file_content_type) == ("a.txt", "text/plain")


@pytest.mark.parametrize(
    ("more", "filename"),
    [
        ("", None),
        ('; filename=""', ""),
        ('; filename="ü b.txt"', "ü b.txt"),
        ('; filename="a;b.txt"', "a;b.txt"),
        ("; filename=a.txt", "a.txt"),
    ],
)
def test_filename(more, filename):
    form = reader(part("file", b"", more) + END)
    form.read_fields()
    assert form.filename == filename


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=" + "b" * 257,
        "multipart/form-data; boundary=ü",
        "multipart/form-data; boundary=b\r\nc",
        "multipart/form-data; boundary=日",
        "multipart/mixed; boundary=b",
        "application/x-www-form-urlencoded",
        "text/plain; boundary=b",
    ],
)
def test_refuses_content_types(content_type):
    with pytest.raises(MalformedPOSTRequest):
        FormReader(Trickle(FILE + END), content_type, None)


@pytest.mark.parametrize(
    "content_type", ['Multipart/Form-Data; charset=utf-8; boundary="b"', "multipart/form-data;boundary=b"]
)
def test_content_types(content_type):
    assert FormReader(Trickle(part("k", b"v") + FILE + END), content_type, None).read_fields() == {"k": "v"}


REFUSED = {
    "nothing": (b"", MalformedPOSTRequest),
    "no boundary": (b"key=k", MalformedPOSTRequest),
    "another boundary": (FILE.replace(b"--b", b"--c"), MalformedPOSTRequest),
    "no file": (part("key", b"k") + END, InvalidArgument),
    "no parts": (END, InvalidArgument),
    "no disposition": (b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" + END, MalformedPOSTRequest),
    "another disposition": (
        b'--b\r\nContent-Disposition: file; name="a"\r\n\r\nx\r\n' + END,
        MalformedPOSTRequest,
    ),
    "no name": (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, MalformedPOSTRequest),
    "a header that is none": (b"--b\r\nnonsense\r\n\r\nx\r\n" + END, MalformedPOSTRequest),
    "many headers": (part("k", b"", headers="A: b\r\n" * 10) + FILE + END, MalformedPOSTRequest),
    "name not in UTF-8": (FILE.replace(b'"a.txt"', b'"\xff"') + END, MalformedPOSTRequest),
    "value not in UTF-8": (part("k", b"\xff") + FILE + END, MalformedPOSTRequest),
    "a field twice": (part("k", b"1") + part("K", b"2") + FILE + END, MalformedPOSTRequest),
    "101 fields": (
        b"".join(part(f"f{n}", b"") for n in range(101)) + FILE + END,
        MaxPostPreDataLengthExceeded,
    ),
    "a long value": (part("k", b"v" * 20_480) + FILE + END, MaxPostPreDataLengthExceeded),
    "long values together": (
        b"".join(part(f"f{n}", b"v" * 2_000) for n in range(11)) + FILE + END,
        MaxPostPreDataLengthExceeded,
    ),
    "a long preamble": (b"\r\n" * 100_000 + FILE + END, MaxPostPreDataLengthExceeded),
    "ends in a field": (part("k", b"v")[:-3], MalformedPOSTRequest),
    "ends between": (part("k", b"v"), MalformedPOSTRequest),
    "Base64": (part("file", b"eA==", headers="Content-Transfer-Encoding: base64\r\n") + END, NotImplemented),
}


@pytest.mark.parametrize("step", [1, 2**30])
@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case, step):
    body, error = REFUSED[case]
    with pytest.raises(error) as refusal:
        reader(body, step).read_fields()
    assert type(refusal.value) is error


def test_a_hundred_fields_of_20_kb():
    body = b"".join(part(f"f{n:02}", b"v" * 150) for n in range(100))
    fields, content = read_all(reader(body + FILE + END), 64)
    assert (len(fields), content) == (100, b"content")


def test_a_form_cut_short_in_its_fields():
    body = part("k", b"v") + FILE + END
    with pytest.raises(IncompleteBody):
        reader(body[:20], content_length=len(body)).read_fields()


@pytest.mark.parametrize("tail", [b"", part("late", b"field")], ids=["file last", "field last"])
def test_a_form_cut_short_anywhere_behind_the_fields_has_no_whole_file(tail):
    body = FILE + tail + END
    headers = FILE.index(b"\r\n\r\n") + 4
    for length in range(headers, len(body) - 2):
        for content_length in (None, len(body)):
            with pytest.raises(IncompleteBody):
                read_all(reader(body[:length], content_length=content_length))


def test_nothing_is_read_beyond_the_content_length():
    source = Trickle(FILE + END + b"GET / HTTP/1.1\r\n")
    read_all(FormReader(source, TYPE, len(FILE + END)))
    assert source.stream.read() == b"GET / HTTP/1.1\r\n"


def test_memory_does_not_grow_with_the_file():
    class Endless:
        def __init__(self, blocks: int) -> None:
            self.head, self.blocks = part("file", b"")[:-2], blocks

        def read(self, size: int, /) -> bytes:
            head, self.head = self.head, b""
            self.blocks -= 1
            return head or (b"\r\n--x" * (size // 5) if self.blocks > 0 else b"\r\n--b--")

    form = FormReader(Endless(800), TYPE, None)
    form.read_fields()
    tracemalloc.start()
    size = sum(len(block) for block in iter(lambda: read_block(form, 65_536), b""))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 50_000_000
    assert peak < 4_000_000


def test_what_requests_sends_for_a_presigned_post():
    client = boto3.client("s3", "us-east-1", aws_access_key_id="AK", aws_secret_access_key="sk")
    post = client.generate_presigned_post("bucket", "in/${filename}")
    request = Request(
        "POST", "http://h/bucket", data=post["fields"], files={"file": ("ü.txt", b"x" * 99)}
    ).prepare()
    form = FormReader(Trickle(request.body, 10), request.headers["Content-Type"], len(request.body))
    fields, content = read_all(form)
    assert fields == {name.lower(): value for name, value in post["fields"].items()}
    assert content == b"x" * 99


PIECES = st.sampled_from([b"\r", b"\n", b"\r\n", b"-", b"--", b"--b", b"\r\n--b", b"--b\r\n", b"x", b"\0"])


@given(st.lists(PIECES | st.binary(max_size=3)).map(b"".join), st.integers(1, 20), st.integers(1, 20))
def test_any_file_without_the_boundary_survives(content, step, size):
    if b"\r\n--b" in b"\r\n" + content:
        return
    assert read_all(reader(part("file", content) + END, step), size) == ({}, content)


SNIPPETS = [
    part("key", b"k"),
    FILE,
    END,
    b"--b\r\n",
    b"\r\n",
    b'Content-Disposition: form-data; name="',
    b'"',
    b": ",
]


@given(
    st.lists(st.sampled_from(SNIPPETS) | st.binary(max_size=5)).map(b"".join),
    st.integers(1, 50),
    st.none() | st.integers(0, 200),
)
def test_only_s3_errors_escape(body, step, content_length):
    try:
        fields, content = read_all(reader(body, step, content_length))
    except S3Error:
        return
    assert content in body
    assert all(name == name.lower() for name in fields)


@given(st.text())
def test_any_content_type_is_read_or_refused(content_type):
    for text in (content_type, f"multipart/form-data; boundary={content_type}"):
        try:
            FormReader(Trickle(FILE + END), text, None)
        except MalformedPOSTRequest:
            continue
        assert text.lower().startswith("multipart/form-data")
