"""Our XML as the SDK reads it: botocore's own parser, by its own model of S3."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import botocore.session
import pytest
from botocore.handlers import decode_list_object
from botocore.parsers import create_parser
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from uploads.s3 import xml
from uploads.s3.headers import DIGEST_BYTES, MultipartChecksum

S3_MODEL = botocore.session.get_session().get_service_model("s3")
KEY = "a b/<&>\"'/ü😀\r\n\t]]>"


def read(operation: str, body: bytes, status: int = 200) -> dict:
    response = {"status_code": status, "headers": {}, "body": body}
    parsed = create_parser("rest-xml").parse(response, S3_MODEL.operation_model(operation).output_shape)
    parsed.pop("ResponseMetadata")
    return parsed


@dataclass
class Part:
    part_number: int
    etag: str = "e"
    size: int = 5
    last_modified: float = 1_700_000_000.125
    checksums: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 501, 503])
def test_error(status):
    body = xml.error("NoSuchUpload", "It is <gone>.", f"/b/{KEY}", "4bf92f3577b34da6", BucketName="b")
    response = {"status_code": status, "headers": {}, "body": body}
    shape = S3_MODEL.operation_model("PutObject").output_shape
    parsed = create_parser("rest-xml").parse(response, shape)
    assert parsed["Error"] == {
        "Code": "NoSuchUpload",
        "Message": "It is <gone>.",
        "BucketName": "b",
        "Resource": f"/b/{KEY}",
    }
    assert fromstring(body).findtext("RequestId") == "4bf92f3577b34da6"


def test_error_has_no_namespace():
    assert xml.error("AccessDenied", "No.", "/b", "1").startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>No.</Message>'
    )


def test_initiate_multipart_upload_result():
    assert read("CreateMultipartUpload", xml.initiate_multipart_upload_result("b", KEY, "u")) == {
        "Bucket": "b",
        "Key": KEY,
        "UploadId": "u",
    }


@pytest.mark.parametrize("algorithm", DIGEST_BYTES)
def test_complete_multipart_upload_result(algorithm):
    body = xml.complete_multipart_upload_result(
        f"http://h/b/{KEY}", "b", KEY, "etag-2", {algorithm: "AAAA-2"}, "COMPOSITE"
    )
    assert read("CompleteMultipartUpload", body) == {
        "Location": f"http://h/b/{KEY}",
        "Bucket": "b",
        "Key": KEY,
        "ETag": '"etag-2"',
        f"Checksum{algorithm.upper()}": "AAAA-2",
        "ChecksumType": "COMPOSITE",
    }


def test_complete_multipart_upload_result_without_checksum():
    body = xml.complete_multipart_upload_result("l", "b", "k", "e")
    assert read("CompleteMultipartUpload", body) == {
        "Location": "l",
        "Bucket": "b",
        "Key": "k",
        "ETag": '"e"',
    }


def test_list_parts_result():
    body = xml.list_parts_result(
        bucket="b",
        key=KEY,
        upload_id="u",
        parts=[Part(1), Part(2, checksums={"crc32": "AAAAAA=="})],
        part_number_marker=0,
        next_part_number_marker=2,
        max_parts=2,
        is_truncated=True,
        principal="ci <robot>",
        checksum=MultipartChecksum("crc32", "COMPOSITE"),
    )
    moment = datetime(2023, 11, 14, 22, 13, 20, 125_000, UTC)
    person = {"ID": "ci <robot>", "DisplayName": "ci <robot>"}
    assert read("ListParts", body) == {
        "Bucket": "b",
        "Key": KEY,
        "UploadId": "u",
        "Initiator": person,
        "Owner": person,
        "StorageClass": "STANDARD",
        "PartNumberMarker": 0,
        "NextPartNumberMarker": 2,
        "MaxParts": 2,
        "IsTruncated": True,
        "ChecksumAlgorithm": "CRC32",
        "ChecksumType": "COMPOSITE",
        "Parts": [
            {"PartNumber": 1, "LastModified": moment, "ETag": '"e"', "Size": 5},
            {"PartNumber": 2, "LastModified": moment, "ETag": '"e"', "Size": 5, "ChecksumCRC32": "AAAAAA=="},
        ],
    }


UPLOADS = [
    xml.UploadEntry("a", "u1", 1_700_000_000.0, "me"),
    xml.UploadEntry(KEY, "u2", 1_700_000_000.0, "me", MultipartChecksum("crc64nvme", "FULL_OBJECT")),
]


def test_list_multipart_uploads_result():
    body = xml.list_multipart_uploads_result(
        bucket="b",
        uploads=UPLOADS,
        prefix="p&",
        key_marker="k&",
        upload_id_marker="m",
        max_uploads=2,
        is_truncated=True,
    )
    parsed = read("ListMultipartUploads", body)
    uploads = parsed.pop("Uploads")
    assert parsed == {
        "Bucket": "b",
        "KeyMarker": "k&",
        "UploadIdMarker": "m",
        "NextKeyMarker": KEY,
        "NextUploadIdMarker": "u2",
        "Prefix": "p&",
        "MaxUploads": 2,
        "IsTruncated": True,
    }
    assert [(u["Key"], u["UploadId"], u["StorageClass"]) for u in uploads] == [
        ("a", "u1", "STANDARD"),
        (KEY, "u2", "STANDARD"),
    ]
    assert uploads[1]["Initiated"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert uploads[1]["Owner"] == uploads[1]["Initiator"] == {"ID": "me", "DisplayName": "me"}
    assert (uploads[1]["ChecksumAlgorithm"], uploads[1]["ChecksumType"]) == ("CRC64NVME", "FULL_OBJECT")
    assert "ChecksumAlgorithm" not in uploads[0]


def test_the_last_page_names_no_next_one():
    body = xml.list_multipart_uploads_result(bucket="b", uploads=UPLOADS, max_uploads=2, is_truncated=False)
    assert (
        not {"NextKeyMarker", "NextUploadIdMarker", "EncodingType"}
        & read("ListMultipartUploads", body).keys()
    )


def test_keys_are_encoded_when_asked():
    body = xml.list_multipart_uploads_result(
        bucket="b",
        uploads=UPLOADS,
        prefix="p&",
        key_marker=KEY,
        max_uploads=9,
        is_truncated=True,
        encoding_type="url",
    )
    parsed = read("ListMultipartUploads", body)
    assert parsed["Prefix"] == "p%26"
    assert parsed["Uploads"][1]["Key"] == parsed["KeyMarker"] == parsed["NextKeyMarker"]
    listing = {"EncodingType": parsed["EncodingType"], "Contents": [{"Key": parsed["KeyMarker"]}]}
    decode_list_object(listing, {"encoding_type_auto_set": True})
    assert listing["Contents"][0]["Key"] == KEY


@pytest.mark.parametrize(("region", "text"), [(None, None), ("us-east-1", None), ("eu-west-1", "eu-west-1")])
def test_location_constraint(region, text):
    root = fromstring(xml.location_constraint(region))
    assert (root.tag, root.text) == (f"{{{xml.NAMESPACE}}}LocationConstraint", text)


def test_post_response():
    root = fromstring(xml.post_response("http://h/b/k", "b", KEY, "e"))
    assert root.tag == "PostResponse"
    assert {child.tag: child.text for child in root} == {
        "Location": "http://h/b/k",
        "Bucket": "b",
        "Key": KEY,
        "ETag": '"e"',
    }


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_makes_a_document(text):
    root = fromstring(xml.error("InvalidURI", text, text, "1"))
    assert root.find("Message").text == root.find("Resource").text
    assert len(root.find("Message").text or "") == len(text)
