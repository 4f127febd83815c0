"""Requests for names, operations and options that this gateway, or the storage of a bucket, does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.e2e.gateway import FILES, LIMITED
from tests.e2e.wire.client import Request
from tests.e2e.wire.refusal import Refusal
from tests.e2e.wire.scene import BODY, Scene

Build = Callable[[Scene], Request]
BY_DESIGN = "upload-only by design"


def keyed(path: str) -> Build:
    """A signed PUT of this raw path below the bucket."""
    return lambda s: s.owner.sign(s.request("PUT", f"/{s.bucket}/{path}", body=BODY))


def below_an_object(scene: Scene) -> Request:
    scene.stored()
    return scene.owner.sign(scene.request("PUT", f"{scene.path}/below", body=BODY))


def where_a_folder_is(scene: Scene) -> Request:
    scene.key += "/object"
    scene.stored()
    return scene.owner.sign(scene.request("PUT", scene.path.removesuffix("/object"), body=BODY))


def at(path: str, method: str = "PUT", body: bytes = BODY, query: str = "") -> Build:
    """A signed request of this path, whatever the bucket."""
    return lambda s: s.owner.sign(s.request(method, path, query, body=body))


def on_object(method: str, query: str = "", body: bytes = b"") -> Build:
    return lambda s: s.owner.sign(s.request(method, query=query, body=body))


def of_a_stored_object(method: str, query: str) -> Build:
    def build(scene: Scene) -> Request:
        scene.stored()
        return scene.owner.sign(scene.request(method, query=query))

    return build


def head_by_the_neighbour(scene: Scene) -> Request:
    scene.stored()
    return scene.neighbour.sign(scene.request("HEAD"))


def on_bucket(method: str, query: str = "", body: bytes = b"") -> Build:
    return lambda s: s.owner.sign(s.request(method, f"/{s.bucket}", query, body=body))


def asking(headers: dict[str, str]) -> Build:
    """A signed PUT with these headers."""
    return lambda s: s.owner.sign(s.put(headers=headers))


def creating(headers: dict[str, str]) -> Build:
    """CreateMultipartUpload with these headers."""
    return lambda s: s.owner.sign(s.request("POST", query="uploads=", headers=headers))


def on_a_stored_object(headers: dict[str, str]) -> Build:
    def build(scene: Scene) -> Request:
        scene.stored()
        return scene.owner.sign(scene.put(b"another body", headers))

    return build


def in_limited(key: str = "plain.txt", content_type: str | None = "text/plain") -> Build:
    def build(scene: Scene) -> Request:
        headers = {"Content-Type": content_type} if content_type else {}
        return scene.owner.sign(scene.request("PUT", f"/{LIMITED}/{key}", headers=headers, body=BODY))

    return build


KEYS = (
    Refusal("key-dot-dot", 400, "InvalidArgument", keyed("../escaped")),
    Refusal("key-dot-dot-inside", 400, "InvalidArgument", keyed("a/../../escaped")),
    Refusal("key-dot-dot-encoded", 400, "InvalidArgument", keyed("a/%2e%2e/%2E%2E/escaped")),
    Refusal("key-dot-dot-slashes-encoded", 400, "InvalidArgument", keyed("a%2F..%2F..%2Fescaped")),
    Refusal("key-dot", 400, "InvalidArgument", keyed("./a")),
    Refusal("key-nul", 400, "InvalidURI", keyed("a%00b")),
    Refusal("key-control", 400, "InvalidURI", keyed("a%01b")),
    Refusal("key-not-utf-8", 400, "InvalidURI", keyed("%ff%fe")),
    Refusal("key-surrogate", 400, "InvalidURI", keyed("%ed%a0%80")),
    Refusal("key-overlong-utf-8", 400, "InvalidURI", keyed("%c0%ae%c0%ae/escaped")),
    Refusal("key-of-1025-bytes", 400, "KeyTooLongError", keyed("/".join(["k" * 204] * 5) + "/")),
    Refusal("key-double-slash", 400, "InvalidArgument", keyed("a//b"), (FILES,)),
    Refusal("key-leading-slash", 400, "InvalidArgument", keyed("/lead"), (FILES,)),
    Refusal("key-long-segment", 400, "InvalidArgument", keyed("s" * 256), (FILES,)),
    Refusal("key-folder-with-bytes", 400, "InvalidArgument", keyed("folder/"), (FILES,)),
    Refusal("key-below-an-object", 400, "InvalidArgument", below_an_object, (FILES,)),
    Refusal("key-of-a-folder", 400, "InvalidArgument", where_a_folder_is, (FILES,)),
)

BUCKETS = (
    Refusal("bucket-unknown", 404, "NoSuchBucket", at("/nosuchbucket/key"), (FILES,)),
    Refusal("bucket-upper-case", 400, "InvalidBucketName", at("/FILES/key"), (FILES,)),
    Refusal("bucket-short", 400, "InvalidBucketName", at("/ab/key"), (FILES,)),
    Refusal("bucket-dot-dot", 400, "InvalidBucketName", at("/../files/key"), (FILES,)),
    Refusal("bucket-internal-folder", 400, "InvalidBucketName", at("/.mizuchi/key"), (FILES,)),
    Refusal("bucket-address", 400, "InvalidBucketName", at("/127.0.0.1/key"), (FILES,)),
    Refusal("bucket-not-utf-8", 400, "InvalidURI", at("/%ff%ff%ff/key"), (FILES,)),
    Refusal(
        "bucket-denied-before-unknown",
        403,
        "AccessDenied",
        lambda s: s.neighbour.sign(s.request("PUT", "/nosuchbucket/key", body=BODY)),
        (FILES,),
    ),
)

OPERATIONS = (
    Refusal("get-object", 405, "MethodNotAllowed", on_object("GET"), says=BY_DESIGN),
    Refusal("delete-object", 405, "MethodNotAllowed", on_object("DELETE"), says=BY_DESIGN),
    Refusal("patch-object", 405, "MethodNotAllowed", on_object("PATCH", body=BODY), says=BY_DESIGN),
    Refusal("options-object", 405, "MethodNotAllowed", on_object("OPTIONS"), says=BY_DESIGN),
    Refusal("unknown-method", 405, "MethodNotAllowed", on_object("BREW"), says=BY_DESIGN),
    Refusal("post-object-key", 405, "MethodNotAllowed", on_object("POST", body=BODY), says=BY_DESIGN),
    Refusal("list-objects", 405, "MethodNotAllowed", on_bucket("GET"), says=BY_DESIGN),
    Refusal("list-objects-v2", 405, "MethodNotAllowed", on_bucket("GET", "list-type=2"), says=BY_DESIGN),
    Refusal("list-versions", 405, "MethodNotAllowed", on_bucket("GET", "versions="), says=BY_DESIGN),
    Refusal(
        "delete-objects", 405, "MethodNotAllowed", on_bucket("POST", "delete=", b"<Delete/>"), says=BY_DESIGN
    ),
    Refusal("delete-bucket", 405, "MethodNotAllowed", on_bucket("DELETE"), says=BY_DESIGN),
    Refusal("list-buckets", 405, "MethodNotAllowed", at("/", "GET", b""), (FILES,), says=BY_DESIGN),
    Refusal("get-attributes", 405, "MethodNotAllowed", on_object("GET", "attributes="), says=BY_DESIGN),
    Refusal(
        "select", 405, "MethodNotAllowed", on_object("POST", "select=&select-type=2", b"<x/>"), says=BY_DESIGN
    ),
    Refusal("restore", 405, "MethodNotAllowed", on_object("POST", "restore=", b"<x/>"), says=BY_DESIGN),
    Refusal("rename", 405, "MethodNotAllowed", on_object("PUT", "renameObject="), says=BY_DESIGN),
    Refusal("get-acl", 501, "NotImplemented", on_object("GET", "acl="), says=BY_DESIGN),
    Refusal("put-acl", 501, "NotImplemented", on_object("PUT", "acl=", b"<x/>"), says=BY_DESIGN),
    Refusal("put-tagging", 501, "NotImplemented", on_object("PUT", "tagging=", b"<x/>"), says=BY_DESIGN),
    Refusal("put-retention", 501, "NotImplemented", on_object("PUT", "retention=", b"<x/>"), says=BY_DESIGN),
    Refusal("put-bucket-policy", 501, "NotImplemented", on_bucket("PUT", "policy=", b"{}"), says=BY_DESIGN),
    Refusal(
        "put-bucket-versioning",
        501,
        "NotImplemented",
        on_bucket("PUT", "versioning=", b"<x/>"),
        says=BY_DESIGN,
    ),
    Refusal("get-bucket-cors", 501, "NotImplemented", on_bucket("GET", "cors="), says=BY_DESIGN),
    Refusal("copy", 501, "NotImplemented", asking({"x-amz-copy-source": "/files/other"}), says=BY_DESIGN),
    Refusal("create-bucket-that-is-there", 409, "BucketAlreadyOwnedByYou", on_bucket("PUT")),
    Refusal("create-bucket", 403, "AccessDenied", at("/nosuchbucket", "PUT", b""), (FILES,)),
    Refusal(
        "create-bucket-of-others",
        403,
        "AccessDenied",
        lambda s: s.neighbour.sign(s.request("PUT", f"/{LIMITED}")),
        (FILES,),
    ),
    Refusal(
        "location-of-unknown-bucket",
        404,
        "NoSuchBucket",
        at("/nosuchbucket", "GET", b"", "location="),
        (FILES,),
    ),
    Refusal("uploads-without-key", 400, "InvalidRequest", on_bucket("POST", "uploads=")),
    Refusal("put-version", 400, "InvalidArgument", on_object("PUT", "versionId=1", BODY)),
    Refusal("query-twice", 400, "InvalidArgument", on_object("PUT", "x-id=a&x-id=b", BODY)),
    Refusal("query-not-utf-8", 400, "InvalidURI", on_object("PUT", "x-id=%ff", BODY)),
    Refusal("query-nul", 400, "InvalidURI", on_object("PUT", "x-id=%00", BODY)),
)

HEADERS = (
    *(
        Refusal(f"header-{header}", 501, "NotImplemented", asking({header: value}), says=header)
        for header, value in (
            ("x-amz-grant-read", 'id="1"'),
            ("x-amz-grant-full-control", 'id="1"'),
            ("x-amz-object-lock-mode", "GOVERNANCE"),
            ("x-amz-object-lock-legal-hold", "ON"),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-server-side-encryption-customer-key", "a2V5"),
            ("x-amz-expected-bucket-owner", "111122223333"),
            ("x-amz-write-offset-bytes", "0"),
            ("if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT"),
        )
    ),
    *(
        Refusal(f"files-{header}", 501, "NotImplemented", asking({header: value}), (FILES,))
        for header, value in (
            ("x-amz-tagging", "a=b"),
            ("x-amz-storage-class", "GLACIER"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-acl", "public-read"),
            ("x-amz-website-redirect-location", "/elsewhere"),
        )
    ),
    Refusal("multipart-with-tagging", 501, "NotImplemented", creating({"x-amz-tagging": "a=b"}), (FILES,)),
    Refusal("multipart-with-lock", 501, "NotImplemented", creating({"x-amz-object-lock-mode": "GOVERNANCE"})),
    Refusal(
        "multipart-checksum-unknown", 501, "NotImplemented", creating({"x-amz-checksum-algorithm": "CRC16"})
    ),
    Refusal(
        "multipart-checksum-type-wrong",
        400,
        "InvalidRequest",
        creating({"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT"}),
    ),
    Refusal("tags-twice", 400, "InvalidTag", asking({"x-amz-tagging": "a=b&a=c"})),
    Refusal("metadata-of-3000-bytes", 400, "MetadataTooLarge", asking({"x-amz-meta-a": "b" * 3000})),
    Refusal("created-only-once", 412, "PreconditionFailed", on_a_stored_object({"If-None-Match": "*"})),
    Refusal("none-match-an-etag", 501, "NotImplemented", on_a_stored_object({"If-None-Match": '"abc"'})),
    Refusal(
        "match-another-etag",
        412,
        "PreconditionFailed",
        on_a_stored_object({"If-Match": '"0123456789abcdef0123456789abcdef"'}),
    ),
    Refusal("match-any", 501, "NotImplemented", on_a_stored_object({"If-Match": "*"})),
    Refusal("match-weak", 501, "NotImplemented", on_a_stored_object({"If-Match": 'W/"abc"'})),
    Refusal(
        "match-and-none-match",
        400,
        "InvalidRequest",
        on_a_stored_object({"If-Match": '"abc"', "If-None-Match": "*"}),
    ),
    Refusal(
        "match-where-nothing-is",
        412,
        "PreconditionFailed",
        asking({"If-Match": '"0123456789abcdef0123456789abcdef"'}),
        (FILES,),
    ),
)

LIMITS = (
    Refusal(
        "type-not-allowed", 400, "InvalidArgument", in_limited(content_type="application/zip"), (LIMITED,)
    ),
    Refusal("type-missing", 400, "InvalidArgument", in_limited(content_type=None), (LIMITED,)),
    Refusal(
        "type-two", 400, "InvalidArgument", in_limited(content_type="application/zip, text/plain"), (LIMITED,)
    ),
    Refusal("key-not-of-the-pattern", 403, "AccessDenied", in_limited(key="UPPER.txt"), (LIMITED,)),
    Refusal("key-of-the-pattern-and-a-line", 403, "AccessDenied", in_limited(key="plain.txt%0A"), (LIMITED,)),
    Refusal(
        "multipart-type-not-allowed",
        400,
        "InvalidArgument",
        creating({"Content-Type": "application/zip"}),
        (LIMITED,),
    ),
    Refusal(
        "multipart-key-not-of-the-pattern",
        403,
        "AccessDenied",
        lambda s: s.owner.sign(
            s.request("POST", f"/{LIMITED}/UPPER", "uploads=", {"Content-Type": "text/plain"})
        ),
        (LIMITED,),
    ),
)

HEADS = (
    ("key-unknown", 404, on_object("HEAD")),
    ("version-unknown", 404, of_a_stored_object("HEAD", "versionId=1")),
    ("version-empty", 400, of_a_stored_object("HEAD", "versionId=")),
    ("key-of-another-principal", 404, head_by_the_neighbour),
    ("bucket-unknown", 404, at("/nosuchbucket", "HEAD", b"")),
    ("signature-wrong", 403, lambda s: s.owner.but(secret="x" * 40).sign(s.request("HEAD"))),
    ("not-signed", 403, lambda s: s.request("HEAD")),
    ("part-number", 501, on_object("HEAD", "partNumber=1")),
    ("service", 405, at("/", "HEAD", b"")),
    ("key-invalid", 400, lambda s: s.owner.sign(replace(s.request("HEAD"), path=f"/{s.bucket}/a%00"))),
)
