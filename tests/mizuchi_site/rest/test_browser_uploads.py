"""Requests to the S3 API that are signed for who uploads in the browser."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, unquote_to_bytes, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings

from authz.apps import authz_app
from authz.authentication import Authenticator
from authz.errors import AuthError
from authz.identity import Authenticated
from authz.sigv4.parts import RequestParts
from uploads.s3.addressing import parse_address
from uploads.s3.operations import match_operation
from uploads.s3.query import parse_query

pytestmark = pytest.mark.django_db

URL = "/api/v1/browser-uploads/"
HOST = "testserver"
SUM = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
UPLOAD = {"upload_id": "aB_-9"}
ASKED: dict[str, dict[str, Any]] = {
    "PutObject": {"content_type": "text/plain", "checksum_sha256": SUM},
    "CreateMultipartUpload": {"content_type": "image/png"},
    "UploadPart": {**UPLOAD, "part_number": 7, "checksum_sha256": SUM},
    "ListParts": {**UPLOAD, "part_number_marker": 1000},
    "CompleteMultipartUpload": UPLOAD,
    "AbortMultipartUpload": UPLOAD,
}
KEYS = (
    "file.txt",
    "a b+c/käse ü.png",
    "100%/#?&=;x",
    "//x//",
    "日本/🎉",
    "%2e%2e/%2F",
    "a?uploads",
    "'\"<b>",
)


@pytest.fixture(autouse=True)
def open_bucket(settings: Settings) -> None:
    """``uploads`` is open (as built in), ``closed`` is not."""
    config = settings.AUTHZ
    closed = dataclasses.replace(config.buckets["uploads"], browser_upload=False)
    settings.AUTHZ = dataclasses.replace(config, buckets={**config.buckets, "closed": closed})


def user(role: str = "operator", name: str = "olga") -> User:
    found: User = User.objects.create_user(name, password="x" * 20, is_staff=True)
    found.groups.add(Group.objects.get(name=role))
    return found


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(user())
    return client


def ask(client: Client, operation: str = "PutObject", key: str = "file.txt", **more: Any) -> Any:
    asked = {"operation": operation, "bucket": "uploads", "key": key, **ASKED.get(operation, {}), **more}
    asked = {name: value for name, value in asked.items() if value is not None}
    return client.post(URL, asked, content_type="application/json", headers={"host": HOST})


def signed(
    client: Client, operation: str = "PutObject", key: str = "file.txt", **more: Any
) -> dict[str, Any]:
    answer = ask(client, operation, key, **more)
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


def arrived(answer: dict[str, Any], *, url: str | None = None, **changes: Any) -> RequestParts:
    """The request as the S3 API gets it, when a browser sends what it was given."""
    target = urlsplit(url or answer["url"])
    headers = {"host": HOST, **{name.lower(): value for name, value in answer["headers"].items()}}
    parts = RequestParts(answer["method"], unquote_to_bytes(target.path), target.query, headers, host=HOST)
    return dataclasses.replace(parts, **changes)


def authenticated(parts: RequestParts, bucket: str = "uploads", *, seconds_later: float = 0) -> Authenticated:
    room = authz_app()
    authenticator = Authenticator(
        {}, room.config.buckets, verifiers={}, sessions=room.session_sealer,  # type: ignore[arg-type]
        clock=lambda: datetime.now(UTC).timestamp() + seconds_later,
    )  # fmt: skip
    return authenticator.authenticate(parts, bucket)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("operation", ASKED)
def test_each_operation_is_signed_for_what_was_asked(staff: Client, operation: str, key: str) -> None:
    parts = arrived(signed(staff, operation, key))

    address = parse_address(parts.path, HOST, None)
    assert (address.bucket, address.key) == ("uploads", key)
    query = parse_query(parts.query)
    assert match_operation(parts.method, address, query).value == operation
    identity = authenticated(parts).identity
    assert (identity.principal, identity.method) == ("user:olga", "sigv4-query")
    assert identity.scope.allows("uploads", key)
    assert not identity.scope.allows("uploads", "another")
    for name, value in {"uploadId": "aB_-9", "partNumber": "7", "part-number-marker": "1000"}.items():
        assert query.get(name, value) == value
    assert ("uploadId" in query) == ("upload_id" in ASKED[operation])


def test_what_the_body_must_be_is_signed_with_it(staff: Client) -> None:
    for operation in ("PutObject", "UploadPart"):
        assert signed(staff, operation)["headers"]["x-amz-checksum-sha256"] == SUM
    for operation in ("PutObject", "CreateMultipartUpload"):
        assert signed(staff, operation)["headers"]["content-type"] == ASKED[operation]["content_type"]
    assert signed(staff, "CreateMultipartUpload")["headers"]["x-amz-checksum-algorithm"] == "SHA256"


def test_it_is_over_after_five_minutes(staff: Client) -> None:
    before = datetime.now(UTC)
    answer = signed(staff)
    expires_at = datetime.fromisoformat(answer["expires_at"])
    assert before + timedelta(minutes=4) < expires_at <= datetime.now(UTC) + timedelta(minutes=5)
    assert authenticated(arrived(answer), seconds_later=240)
    with pytest.raises(AuthError):
        authenticated(arrived(answer), seconds_later=302)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "DELETE"},
        {"path": b"/uploads/other.txt"},
        {"path": b"/closed/file.txt"},
        {"host": "other.example"},
    ],
)
def test_it_is_good_for_nothing_else(staff: Client, changes: dict[str, Any]) -> None:
    with pytest.raises(AuthError):
        authenticated(arrived(signed(staff), **changes))


def test_a_part_is_signed_for_its_number_and_upload(staff: Client) -> None:
    answer = signed(staff, "UploadPart")
    for old, new in (("partNumber=7", "partNumber=8"), ("uploadId=aB_-9", "uploadId=other")):
        assert old in answer["url"]
        with pytest.raises(AuthError):
            authenticated(arrived(answer, url=answer["url"].replace(old, new)))


def test_a_bucket_that_is_not_open_takes_no_session_of_staff(staff: Client) -> None:
    answer = signed(staff)
    with pytest.raises(AuthError):
        authenticated(arrived(answer), "closed")


@pytest.mark.parametrize("bucket", ["closed", "missing"])
def test_only_open_buckets_are_signed_for(staff: Client, bucket: str) -> None:
    answer = ask(staff, bucket=bucket)
    assert answer.status_code == 404
    assert "browser_upload" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"operation": "GetObject"}, "operation"),
        ({"operation": "DeleteObject"}, "operation"),
        ({"operation": None}, "operation"),
        ({"bucket": None}, "bucket"),
        ({"key": None}, "key"),
        ({"key": ""}, "key"),
        ({"key": "../x"}, "key"),
        ({"key": "a/./b"}, "key"),
        ({"key": ".."}, "key"),
        ({"key": "a\u0000b"}, "key"),
        ({"key": "a\u0007b"}, "key"),
        ({"key": "\ud800"}, "key"),
        ({"key": "ä" * 513}, "key"),
        ({"key": 7.5e300}, None),
        ({"key": ["a"]}, "key"),
        ({"checksum_sha256": None}, "checksum_sha256"),
        ({"checksum_sha256": "abc"}, "checksum_sha256"),
        ({"checksum_sha256": base64.b64encode(b"x" * 31).decode()}, "checksum_sha256"),
        ({"checksum_sha256": SUM + "\r\nx-amz-acl: public-read"}, "checksum_sha256"),
        ({"content_type": "text/plain\r\nx: y"}, "content_type"),
        ({"content_type": "käse"}, "content_type"),
        ({"content_type": "x" * 300}, "content_type"),
        ({"operation": "UploadPart"}, "upload_id"),
        ({"operation": "UploadPart", **UPLOAD}, "part_number"),
        ({"operation": "UploadPart", **UPLOAD, "part_number": 0}, "part_number"),
        ({"operation": "UploadPart", **UPLOAD, "part_number": 10001}, "part_number"),
        ({"operation": "UploadPart", **UPLOAD, "part_number": "x"}, "part_number"),
        ({"operation": "AbortMultipartUpload", "upload_id": ""}, "upload_id"),
        ({"operation": "AbortMultipartUpload", "upload_id": "a&uploads"}, "upload_id"),
        ({"operation": "AbortMultipartUpload", "upload_id": "x" * 4097}, "upload_id"),
        ({"operation": "ListParts", **UPLOAD, "part_number_marker": -1}, "part_number_marker"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    staff: Client, changes: dict[str, Any], field: str | None
) -> None:
    asked = {"operation": "PutObject", "bucket": "uploads", "key": "k", **ASKED["PutObject"], **changes}
    asked = {name: value for name, value in asked.items() if value is not None}
    answer = staff.post(URL, asked, content_type="application/json")
    if field is None:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 400
        assert list(answer.json()) == [field]


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '"x"', "\xff"])
def test_what_is_no_object_is_refused(staff: Client, body: str) -> None:
    assert staff.post(URL, body, content_type="application/json").status_code == 400


def test_who_may_not_upload_gets_nothing(client: Client) -> None:
    assert ask(client).status_code == 401
    client.force_login(user("viewer", "vera"))
    assert ask(client).status_code == 403
    client.force_login(User.objects.create_user("carl", password="x" * 20))
    assert ask(client).status_code == 403


def test_there_is_nothing_to_read(staff: Client) -> None:
    assert staff.get(URL).status_code in {403, 405}


def test_a_session_needs_its_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user())
    assert ask(client).status_code == 403


def test_no_cache_keeps_it_and_it_names_no_host(staff: Client) -> None:
    answer = ask(staff)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.json()["url"].startswith("/uploads/file.txt?")


def test_the_host_is_the_one_that_the_browser_sees(staff: Client, settings: Settings) -> None:
    """Behind a proxy: signed is what the S3 path takes for the host."""
    headers = {"Host": HOST, "X-Forwarded-Host": "upload.example.org"}
    asked = {"operation": "PutObject", "bucket": "uploads", "key": "k", **ASKED["PutObject"]}

    def host_signed() -> bool:
        answer = staff.post(URL, asked, content_type="application/json", headers=headers).json()
        try:
            authenticated(arrived(answer, host="upload.example.org"))
        except AuthError:
            return False
        return True

    assert not host_signed()
    settings.UPLOADS = dataclasses.replace(settings.UPLOADS, trusted_proxies=("127.0.0.1",))
    assert host_signed()


def test_names_of_users_are_kept_apart(client: Client) -> None:
    client.force_login(user(name="käthe@example.org"))
    assert authenticated(arrived(signed(client))).identity.principal == "user:käthe@example.org"


def test_the_url_holds_no_secret(staff: Client) -> None:
    answer = signed(staff)
    query = parse_qs(urlsplit(answer["url"]).query)
    access_key_id = unquote(query["X-Amz-Credential"][0]).partition("/")[0]
    keys = authz_app().session_sealer.open(access_key_id, query["X-Amz-Security-Token"][0])
    assert keys.secret not in repr(answer)
