"""The list of parts that CompleteMultipartUpload sends."""

from contextlib import suppress

import botocore.session
import pytest
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3.errors import (
    InvalidPart,
    InvalidPartNumber,
    InvalidPartOrder,
    MalformedXML,
    MaxMessageLengthExceeded,
    NotImplemented,
    S3Error,
)
from uploads.s3.part_list import MAX_DOCUMENT_BYTES, PartEntry, parse_complete_multipart_upload

PART = "<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>"


def document(parts: str, root: str = "CompleteMultipartUpload", attributes: str = "") -> bytes:
    return f"<{root}{attributes}>{parts}</{root}>".encode()


def part(number: object, etag: str = "e", more: str = "") -> str:
    return f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{more}</Part>"


ONE = (PartEntry(1, "e", {}),)
ACCEPTED = {
    "bare": (document(PART), ONE),
    "namespaced": (document(PART, attributes=' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'), ONE),
    "prefixed": (
        b'<s:CompleteMultipartUpload xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:Part>'
        b"<s:ETag>e</s:ETag><s:PartNumber>1</s:PartNumber></s:Part></s:CompleteMultipartUpload>",
        ONE,
    ),
    "declared": (b'<?xml version="1.0" encoding="UTF-8"?>\n' + document(PART), ONE),
    "white space": (
        b"\n<CompleteMultipartUpload>\n <Part>\n  <PartNumber> 1 </PartNumber>\n <ETag>\n e </ETag> </Part>\n"
        b"</CompleteMultipartUpload>\n",
        ONE,
    ),
    "comment": (document("<!-- one -->" + PART), ONE),
    "quoted ETag": (document(part(1, "&quot;e&quot;")), ONE),
    "ETag in plain quotes": (document(part(1, '"e"')), ONE),
    "ETag in CDATA": (document(part(1, "<![CDATA[e]]>")), ONE),
    "gaps": (document(part(2) + part(10000)), (PartEntry(2, "e", {}), PartEntry(10000, "e", {}))),
    "leading zeros": (document(part("01")), ONE),
    "checksum": (
        document(part(1, more="<ChecksumCRC32>AAAAAA==</ChecksumCRC32>")),
        (PartEntry(1, "e", {"crc32": "AAAAAA=="}),),
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepts(case):
    body, expected = ACCEPTED[case]
    assert parse_complete_multipart_upload(body) == expected


BILLION_LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
    + b"]>"
    + document(part(1, "&j;"))
)
REFUSED = {
    "nothing": (b"", MalformedXML),
    "not XML": (b"{}", MalformedXML),
    "cut short": (document(PART)[:-1], MalformedXML),
    "more behind": (document(PART) + b"<a/>", MalformedXML),
    "no parts": (document(""), MalformedXML),
    "other root": (document(PART, "CompletedMultipartUpload"), MalformedXML),
    "other namespace": (document(PART, attributes=' xmlns="http://example.com/"'), MalformedXML),
    "other child": (document("<Parts>" + PART + "</Parts>"), MalformedXML),
    "text between": (document(PART + "x"), MalformedXML),
    "no number": (document("<Part><ETag>e</ETag></Part>"), MalformedXML),
    "no ETag": (document("<Part><PartNumber>1</PartNumber></Part>"), MalformedXML),
    "empty ETag": (document(part(1, '""')), MalformedXML),
    "two ETags": (document(part(1, more="<ETag>f</ETag>")), MalformedXML),
    "unknown element": (document(part(1, more="<Size>1</Size>")), MalformedXML),
    "element inside": (document(part(1, "<b>e</b>")), MalformedXML),
    "number that is none": (document(part("one")), MalformedXML),
    "signed number": (document(part("-1")), MalformedXML),
    "number in other digits": (document(part("٣")), MalformedXML),
    "number 0": (document(part(0)), InvalidPartNumber),
    "number 10001": (document(part(10001)), InvalidPartNumber),
    "huge number": (document(part("9" * 5000)), InvalidPartNumber),
    "descending": (document(part(2) + part(1)), InvalidPartOrder),
    "twice": (document(part(1) + part(1)), InvalidPartOrder),
    "checksum not Base64": (document(part(1, more="<ChecksumCRC32>?</ChecksumCRC32>")), InvalidPart),
    "checksum too short": (document(part(1, more="<ChecksumSHA1>AAAAAA==</ChecksumSHA1>")), InvalidPart),
    "checksum unknown": (document(part(1, more="<ChecksumSHA512>AA==</ChecksumSHA512>")), NotImplemented),
    "too long": (document(PART + " " * MAX_DOCUMENT_BYTES), MaxMessageLengthExceeded),
    "billion laughs": (BILLION_LAUGHS, MalformedXML),
    "doctype": (b"<!DOCTYPE a>" + document(PART), MalformedXML),
    "external entity": (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + document(part(1, "&x;")),
        MalformedXML,
    ),
    "undefined entity": (document(part(1, "&x;")), MalformedXML),
    "unknown encoding": (b'<?xml version="1.0" encoding="nope"?>' + document(PART), MalformedXML),
    "encoding of many bytes": (b'<?xml version="1.0" encoding="shift_jis"?>' + document(PART), MalformedXML),
    "not UTF-8": (document(PART).replace(b">e<", b">\xff<"), MalformedXML),
    "nul": (document(PART).replace(b">e<", b">\0<"), MalformedXML),
    "a million levels": (b"<a>" * 1_000_000, MalformedXML),
    "levels inside": (b"<CompleteMultipartUpload>" + b"<Part>" * 500_000, MalformedXML),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case):
    body, error = REFUSED[case]
    with pytest.raises(error) as refusal:
        parse_complete_multipart_upload(body)
    assert type(refusal.value) is error


def test_ten_thousand_parts_are_enough():
    checksum = "<ChecksumSHA256>" + "A" * 43 + "=</ChecksumSHA256>"
    body = document("".join(part(n, "&quot;" + "0" * 32 + "&quot;", checksum) for n in range(1, 10_001)))
    assert len(parse_complete_multipart_upload(body)) == 10_000


def test_what_the_sdk_sends():
    operation = (
        botocore.session.get_session().get_service_model("s3").operation_model("CompleteMultipartUpload")
    )
    parts = [{"PartNumber": n, "ETag": f'"{n}"', "ChecksumCRC32C": "AAAAAA=="} for n in (1, 2)]
    arguments = {"Bucket": "b", "Key": "k", "UploadId": "u", "MultipartUpload": {"Parts": parts}}
    body = create_serializer("rest-xml").serialize_to_request(arguments, operation)["body"]
    assert parse_complete_multipart_upload(body) == (
        PartEntry(1, "1", {"crc32c": "AAAAAA=="}),
        PartEntry(2, "2", {"crc32c": "AAAAAA=="}),
    )


PIECES = [
    "<CompleteMultipartUpload>",
    "</CompleteMultipartUpload>",
    "<Part>",
    "</Part>",
    "<PartNumber>1</PartNumber>",
]
PIECES += [
    "<ETag>e</ETag>",
    "<?xml version='1.0'",
    " encoding='utf-16'",
    "?>",
    "<!DOCTYPE a [",
    "<!ENTITY x 'y'>",
    "]>",
    "&x;",
]


@given(
    st.binary() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map(lambda p: "".join(p).encode())
)
def test_only_s3_errors_escape(body):
    with suppress(S3Error):
        assert parse_complete_multipart_upload(body)
