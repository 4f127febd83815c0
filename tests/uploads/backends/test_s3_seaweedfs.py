"""The contract of a backend on a real S3 server, and what only an S3 upstream has."""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from dataclasses import replace

import pytest

from tests.contracts.backend import BackendContract
from tests.contracts.backend_multipart import FIRST, LAST, begin, complete, send
from tests.contracts.body import MIB, BodyBroke, FakeBody, digest
from uploads.backends.base import Capability, ObjectWrite
from uploads.backends.errors import (
    BackendDenied,
    BackendError,
    BackendMisconfigured,
    BackendRefused,
    BackendUnavailable,
    ConditionFailed,
    DigestRejected,
    Unsupported,
    UploadNotFound,
)
from uploads.backends.s3 import S3Backend
from uploads.config import S3StorageConfig
from uploads.s3.headers import Conditions, MultipartChecksum, ObjectMetadata

LONG = 19 * MIB


def config_of(server, **changes) -> S3StorageConfig:
    config = S3StorageConfig(
        name="upstream",
        endpoint=server.endpoint,
        access_key=server.access_key,
        secret_key=server.secret_key,
        connect_timeout_seconds=5,
        read_timeout_seconds=30,
    )
    return replace(config, **changes)


@pytest.fixture(scope="module")
def backend(seaweedfs):
    backend = S3Backend(config_of(seaweedfs))
    yield backend
    backend.close()


@pytest.fixture
def bucket(seaweedfs):
    return seaweedfs.create_bucket()


@pytest.fixture
def read_object(seaweedfs, bucket):
    def read(key: str) -> bytes | None:
        try:
            return seaweedfs.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except seaweedfs.client.exceptions.NoSuchKey:
            return None

    return read


@pytest.fixture
def head(seaweedfs, bucket):
    return lambda key: seaweedfs.client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")


@pytest.fixture
def read_metadata(head):
    def read(key: str) -> ObjectMetadata:
        found = head(key)
        return ObjectMetadata(
            content_type=found.get("ContentType"),
            cache_control=found.get("CacheControl"),
            content_disposition=found.get("ContentDisposition"),
            content_encoding=found.get("ContentEncoding"),
            content_language=found.get("ContentLanguage"),
            expires=found.get("ExpiresString"),
            user=found["Metadata"],
        )

    return read


@pytest.fixture
def leftovers(seaweedfs, bucket):
    def find() -> list[str]:
        uploads = seaweedfs.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return [f"{upload['Key']} {upload['UploadId']}" for upload in uploads]

    return find


#: Where SeaweedFS itself, asked by any client, is not as S3 is. Strict: a version that is will be noticed.
SEAWEEDFS_DIFFERS = {
    "test_a_part_sent_again_replaces": "lists a part sent twice twice",
    "test_one_part_from_threads_is_one_of_them": "lists a part sent twice twice",
    "test_a_list_that_does_not_match_is_refused[missing part]": "looks at sizes first: EntityTooSmall",
    "test_an_unknown_upload_is_not_found[aborted-abort]": "aborts again and again",
    "test_an_unknown_upload_is_not_found[a path-part]": "InvalidRequest",
    "test_an_unknown_upload_is_not_found[a path-list]": "InvalidRequest",
    "test_an_unknown_upload_is_not_found[a path-complete]": "InvalidRequest",
    "test_an_unknown_upload_is_not_found[a path-abort]": "InvalidRequest",
    "test_a_wrong_checksum_of_a_part_is_refused": "BadDigest instead of InvalidPart",
}


@pytest.fixture(autouse=True)
def expect_differences(request):
    if reason := SEAWEEDFS_DIFFERS.get(request.node.name):
        request.applymarker(pytest.mark.xfail(reason=f"SeaweedFS {reason}", strict=True))


class TestSeaweedFS(BackendContract):
    """The whole contract."""

    # A refusal may come while blocks are already on their way.
    blocks_to_find_out = 5


# -- bodies of unknown length -----------------------------------------------------------------------------


def test_a_long_body_of_unknown_length_is_an_object(backend, bucket, head, read_object, leftovers):
    data = bytes(range(256)) * (LONG // 256)
    write = ObjectWrite(bucket, "long", ObjectMetadata(content_type="video/x", user={"a": "b"}))
    stored = backend.put_object(write, FakeBody(data, block_bytes=MIB, promised=False))
    assert read_object("long") == data
    assert stored.size == LONG
    assert stored.etag == head("long")["ETag"].strip('"')
    assert stored.etag.endswith("-4")
    assert (head("long")["ContentType"], head("long")["Metadata"]) == ("video/x", {"a": "b"})
    assert leftovers() == []


@pytest.mark.parametrize("fail_at", [0, 9, -1], ids=["first block", "second part", "last block"])
def test_a_long_body_of_unknown_length_that_breaks_leaves_nothing(
    backend, bucket, read_object, leftovers, fail_at
):
    body = FakeBody(b"x" * LONG, block_bytes=MIB, promised=False, fail_at=fail_at)
    with pytest.raises(BodyBroke):
        backend.put_object(ObjectWrite(bucket, "long"), body)
    assert read_object("long") is None
    assert leftovers() == []


def test_a_condition_holds_for_a_long_body_of_unknown_length(backend, bucket, read_object, leftovers):
    backend.put_object(ObjectWrite(bucket, "k"), FakeBody(b"came first"))
    write = ObjectWrite(bucket, "k", conditions=Conditions(if_none_match=True))
    with pytest.raises(ConditionFailed):
        backend.put_object(write, FakeBody(b"x" * LONG, block_bytes=MIB, promised=False))
    assert read_object("k") == b"came first"
    assert leftovers() == []


def test_parts_of_unknown_length_are_stored(backend, bucket, read_object, leftovers):
    upload = begin(backend, bucket)
    first = backend.upload_part(upload, 1, FakeBody(FIRST * 2, block_bytes=MIB, promised=False), {})
    last = backend.upload_part(upload, 2, FakeBody(LAST, promised=False), {})
    assert (first.size, last.size) == (len(FIRST * 2), len(LAST))
    complete(backend, upload, [first, last])
    assert read_object("k") == FIRST * 2 + LAST
    assert leftovers() == []


# -- checksums --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("promised", [True, False], ids=["length promised", "no length"])
@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        ("crc32", "FULL_OBJECT"),
        ("crc64nvme", "FULL_OBJECT"),
        ("sha256", "COMPOSITE"),
        ("crc32c", "COMPOSITE"),
    ],
)
def test_a_checksum_unknown_before_the_body_is_sent_after_it(
    backend, bucket, read_object, algorithm, kind, promised
):
    """As from the AWS SDKs, which send the checksum of a part in a trailer."""
    upload = begin(backend, bucket, checksum=MultipartChecksum(algorithm, kind))
    bodies = [FakeBody(data, block_bytes=300_000, promised=promised) for data in (FIRST, LAST)]
    parts = [backend.upload_part(upload, number, body, {}) for number, body in enumerate(bodies, 1)]
    expected = [base64.b64encode(digest(algorithm, data)).decode() for data in (FIRST, LAST)]
    assert [part.checksums for part in parts] == [{algorithm: text} for text in expected]
    assert [part.size for part in parts] == [len(FIRST), len(LAST)]
    stored = complete(backend, upload, parts)
    assert stored.checksum_type == kind
    assert read_object("k") == FIRST + LAST


@pytest.mark.parametrize("fail_at", [0, 1, -1], ids=["first block", "middle block", "last block"])
def test_a_part_with_a_trailer_that_breaks_is_not_stored(backend, bucket, leftovers, fail_at):
    upload = begin(backend, bucket, checksum=MultipartChecksum("crc32", "FULL_OBJECT"))
    with pytest.raises(BodyBroke):
        backend.upload_part(upload, 1, FakeBody(FIRST, block_bytes=MIB, fail_at=fail_at), {})
    assert backend.list_parts(upload, 0, 1000).parts == ()
    backend.abort_multipart_upload(upload)


def test_the_upstream_verifies_what_is_known_before(backend, bucket, read_object):
    write = ObjectWrite(bucket, "k", checksums={"sha256": digest("sha256", b"something else")})
    with pytest.raises(DigestRejected):
        backend.put_object(write, FakeBody(b"data"))
    assert read_object("k") is None


def test_checksums_are_kept_by_the_upstream(backend, bucket, head):
    raw = digest("crc32c", b"data")
    backend.put_object(ObjectWrite(bucket, "k", checksums={"crc32c": raw}), FakeBody(b"data"))
    assert head("k")["ChecksumCRC32C"] == base64.b64encode(raw).decode()


# -- what goes along --------------------------------------------------------------------------------------


def test_s3_headers_arrive(backend, bucket, head, seaweedfs):
    metadata = ObjectMetadata(
        tagging="team=blue&x=%C3%A4", storage_class="STANDARD_IA", expires="Wed, 21 Oct 2026 07:28:00 GMT"
    )
    backend.put_object(ObjectWrite(bucket, "k", metadata), FakeBody(b"x"))
    tags = seaweedfs.client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "blue", "x": "ä"}
    assert head("k")["StorageClass"] == "STANDARD_IA"
    assert head("k")["ExpiresString"] == metadata.expires


@pytest.mark.parametrize("user", [{"a": "grün"}, {"grün": "a"}, {"a": "日本"}], ids=["value", "name", "wide"])
def test_user_metadata_beyond_ascii_is_refused(backend, bucket, user):
    write, body = ObjectWrite(bucket, "k", ObjectMetadata(user=user)), FakeBody(b"x")
    with pytest.raises(BackendRefused, match="ASCII"):
        backend.put_object(write, body)
    with pytest.raises(BackendRefused, match="ASCII"):
        backend.create_multipart_upload(write, None)
    assert body.pulled == 0


@pytest.mark.parametrize(
    "metadata",
    [
        ObjectMetadata(user={"a": "x\r\nx-amz-acl: public-read"}),
        ObjectMetadata(user={"a: b\r\nx-amz-acl": "public-read"}),
        ObjectMetadata(user={"a b": "c"}),
        ObjectMetadata(content_type="text/plain\n\n"),
        ObjectMetadata(content_type="text/\x00"),
    ],
    ids=["value", "name", "space in a name", "content type", "zero"],
)
def test_no_header_can_be_smuggled_in(backend, bucket, metadata):
    body = FakeBody(b"x")
    with pytest.raises(BackendRefused, match="characters"):
        backend.put_object(ObjectWrite(bucket, "k", metadata), body)
    assert body.pulled == 0


@pytest.mark.parametrize("text", ['attachment; filename="grün.txt"', 'attachment; filename="日本.txt"'])
def test_other_headers_beyond_ascii_are_signed_as_sent(backend, bucket, read_object, text):
    backend.put_object(ObjectWrite(bucket, "k", ObjectMetadata(content_disposition=text)), FakeBody(b"x"))
    assert read_object("k") == b"x"


def test_a_customers_key_is_not_for_multipart_uploads(backend, bucket, leftovers):
    key = {"x-amz-server-side-encryption-customer-algorithm": "AES256"}
    with pytest.raises(Unsupported):
        backend.create_multipart_upload(ObjectWrite(bucket, "k", ObjectMetadata(encryption=key)), None)
    assert leftovers() == []


def test_every_capability_is_passed_on(backend):
    assert backend.capabilities == frozenset(Capability)


# -- an empty upload id is another operation --------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        lambda backend, upload: backend.abort_multipart_upload(upload),
        lambda backend, upload: send(backend, upload, 1, b"overwritten"),
    ],
    ids=["abort is not delete", "part is not put"],
)
def test_an_empty_upload_id_touches_no_object(backend, bucket, read_object, act):
    backend.put_object(ObjectWrite(bucket, "k"), FakeBody(b"precious"))
    upload = replace(begin(backend, bucket), backend_id="")
    with pytest.raises(UploadNotFound):
        act(backend, upload)
    assert read_object("k") == b"precious"


# -- the operator's mistakes ------------------------------------------------------------------------------

OPERATIONS = {
    "put": lambda backend, bucket: backend.put_object(ObjectWrite(bucket, "k"), FakeBody(b"x")),
    "create": lambda backend, bucket: backend.create_multipart_upload(ObjectWrite(bucket, "k"), None),
    "check": lambda backend, bucket: backend.check(bucket),
}


@pytest.fixture(params=OPERATIONS.values(), ids=OPERATIONS.keys())
def operation(request):
    return request.param


def failing(config: S3StorageConfig, bucket: str, operation) -> BackendError:
    with closing(S3Backend(config)) as backend, pytest.raises(BackendError) as caught:
        operation(backend, bucket)
    return caught.value


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"access_key": "AKNOBODY"}, BackendDenied),
        ({"secret_key": "wrong-secret"}, BackendDenied),
        ({"session_token": "wrong-token"}, BackendDenied),
        ({"endpoint": "http://127.0.0.1:1"}, BackendUnavailable),
    ],
    ids=["access key", "secret key", "session token", "refused"],
)
def test_a_wrong_configuration_has_its_error(seaweedfs, bucket, operation, changes, kind):
    failure = failing(config_of(seaweedfs, **changes), bucket, operation)
    assert type(failure) is kind
    assert failure.detail
    told = f"{failure} {failure.detail} {failure.message}"
    assert not any(secret in told for secret in (seaweedfs.secret_key, "wrong-secret", "wrong-token"))


def test_a_missing_bucket_is_a_wrong_configuration(seaweedfs, operation):
    assert type(failing(config_of(seaweedfs), "no-such-bucket", operation)) is BackendMisconfigured


def test_an_http_endpoint_called_https_is_a_wrong_configuration(seaweedfs, bucket, operation):
    endpoint = seaweedfs.endpoint.replace("http:", "https:")
    assert type(failing(config_of(seaweedfs, endpoint=endpoint), bucket, operation)) is BackendMisconfigured


def test_without_keys_the_chain_of_boto3_finds_them(seaweedfs, bucket, operation, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweedfs.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweedfs.secret_key)
    backend = S3Backend(config_of(seaweedfs, access_key=None, secret_key=None))
    operation(backend, bucket)
    backend.close()


def test_without_any_keys_it_is_denied(seaweedfs, bucket, operation, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    failure = failing(config_of(seaweedfs, access_key=None, secret_key=None), bucket, operation)
    assert type(failure) is BackendDenied


def test_stored_etag_is_the_md5(backend, bucket):
    assert backend.put_object(ObjectWrite(bucket, "k"), FakeBody(b"x")).etag == hashlib.md5(b"x").hexdigest()
