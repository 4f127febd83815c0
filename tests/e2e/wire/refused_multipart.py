"""Requests about multipart uploads that name the wrong upload, the wrong parts, or are no XML."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.gateway import FILES, LIMITED, SEAWEED
from tests.e2e.wire.client import Request
from tests.e2e.wire.refusal import Refusal
from tests.e2e.wire.scene import BODY, Scene, md5_of, parts_xml

Build = Callable[[Scene], Request]
ETAG = "0123456789abcdef0123456789abcdef"
LAUGHS = b"".join(
    [
        b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">',
        *(b'<!ENTITY %c "%b">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9)),
        b"]><CompleteMultipartUpload><Part><PartNumber>&j;</PartNumber></Part></CompleteMultipartUpload>",
    ]
)
EXTERNAL = (
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><CompleteMultipartUpload><Part>'
    b"<PartNumber>1</PartNumber><ETag>&e;</ETag></Part></CompleteMultipartUpload>"
)


def part_number(number: str) -> Build:
    return lambda s: s.owner.sign(
        s.request("PUT", query=f"partNumber={number}&uploadId={s.upload()}", body=BODY)
    )


def upload_id(make: Callable[[Scene], str], method: str = "PUT") -> Build:
    """Each operation on an upload with an id that is none of this caller, bucket and key."""
    query = {"PUT": "partNumber=1&"}.get(method, "")
    body = {"PUT": BODY, "POST": parts_xml([(1, ETAG)])}.get(method, b"")
    return lambda s: s.owner.sign(s.request(method, query=f"{query}uploadId={make(s)}", body=body))


def of_another_key(scene: Scene) -> str:
    path, found = scene.path, scene.upload()
    scene.key += "-other"
    assert scene.path != path
    return found


def of_another_bucket(scene: Scene) -> str:
    other = Scene(scene.gateway, SEAWEED if scene.bucket == FILES else FILES, key=scene.key)
    found = other.upload()
    scene.uploads += other.uploads
    return found


def of_another_principal(scene: Scene) -> str:
    answer = scene.send(scene.neighbour.sign(scene.request("POST", query="uploads=")))
    assert answer.status == 200
    return answer.text("UploadId")


def aborted(scene: Scene) -> str:
    found = scene.upload()
    assert scene.call("DELETE", f"uploadId={found}").status == 204
    return found


def tampered(scene: Scene) -> str:
    found = scene.upload()
    middle = len(found) // 2
    return found[:middle] + ("A" if found[middle] != "A" else "B") + found[middle + 1 :]


def the_backends_own(scene: Scene) -> str:
    """The id that the storage itself gave an upload of this very key."""
    scene.upload()
    if scene.bucket == SEAWEED:
        listed = scene.gateway.upstream.client.list_multipart_uploads(Bucket=scene.gateway.upstream_bucket)
        return next(u["UploadId"] for u in listed["Uploads"] if u["Key"] == scene.key)
    folders = (scene.gateway.objects / ".mizuchi" / "multipart").iterdir()
    return max(folders, key=lambda folder: folder.stat().st_mtime).name


def completing(document: bytes | Callable[[list[str]], bytes], parts: int = 1, **headers: str) -> Build:
    """CompleteMultipartUpload of an upload with small parts; ``document`` may be made from their ETags."""

    def build(scene: Scene) -> Request:
        found = scene.upload()
        etags = [scene.part(found, number, BODY + bytes([number])) for number in range(1, parts + 1)]
        body = document if isinstance(document, bytes) else document(etags)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return scene.owner.sign(scene.request("POST", query=f"uploadId={found}", headers=named, body=body))

    return build


def listed(*numbers: int, etag: str = "") -> Callable[[list[str]], bytes]:
    return lambda etags: parts_xml([(number, etag or etags[(number - 1) % len(etags)]) for number in numbers])


def with_checksum(etags: list[str]) -> bytes:
    return parts_xml([(1, etags[0])]).replace(b"</Part>", b"<ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>")


def with_wrong_object_checksum(scene: Scene) -> Request:
    headers = {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT"}
    found = begun(scene, headers)
    request = scene.completion(found, [(1, scene.part(found, 1))])
    return scene.owner.sign(request.with_headers({"x-amz-checksum-crc32": "AAAAAA=="}))


def plain_upload(scene: Scene) -> str:
    return begun(scene, {"Content-Type": "text/plain"})


def begun(scene: Scene, headers: dict[str, str]) -> str:
    answer = scene.send(scene.owner.sign(scene.request("POST", query="uploads=", headers=headers)))
    scene.uploads.append((scene.path, answer.text("UploadId")))
    return answer.text("UploadId")


def too_large_together(scene: Scene) -> Request:
    found = plain_upload(scene)
    etag = scene.part(found, 1, b"x" * (64 * 1024 + 1))
    return scene.owner.sign(scene.completion(found, [(1, etag)]))


PARTS = (
    *(
        Refusal(f"part-number-{text or 'empty'}", 400, "InvalidArgument", part_number(text))
        for text in ("0", "10001", "abc", "-1", "", "1.5", "%2B1", "99999999999999999999")
    ),
    Refusal(
        "part-number-alone",
        400,
        "InvalidArgument",
        lambda s: s.owner.sign(s.request("PUT", query="partNumber=1", body=BODY)),
    ),
    Refusal(
        "upload-id-alone",
        400,
        "InvalidArgument",
        lambda s: s.owner.sign(s.request("PUT", query=f"uploadId={s.upload()}", body=BODY)),
    ),
    Refusal(
        "part-copy",
        501,
        "NotImplemented",
        lambda s: s.owner.sign(
            s.request(
                "PUT", query=f"partNumber=1&uploadId={s.upload()}", headers={"x-amz-copy-source": "/files/a"}
            )
        ),
        says="upload-only by design",
    ),
    Refusal(
        "part-md5-wrong",
        400,
        "BadDigest",
        lambda s: s.owner.sign(
            s.request(
                "PUT",
                query=f"partNumber=1&uploadId={s.upload()}",
                headers={"Content-MD5": md5_of(b"other")},
                body=BODY,
            )
        ),
    ),
    Refusal(
        "part-over-the-limit-of-parts",
        400,
        "InvalidArgument",
        lambda s: s.owner.sign(s.request("PUT", query=f"partNumber=4&uploadId={plain_upload(s)}", body=BODY)),
        (LIMITED,),
    ),
    Refusal("parts-over-the-limit-of-bytes", 400, "EntityTooLarge", too_large_together, (LIMITED,)),
)

UPLOAD_IDS = (
    *(
        Refusal(f"upload-id-empty-{method}", 400, "InvalidArgument", upload_id(lambda s: "", method))
        for method in ("PUT", "POST", "DELETE", "GET")
    ),
    *(
        Refusal(f"upload-id-{name}-{method}", 404, "NoSuchUpload", upload_id(make, method))
        for name, make in (
            ("garbage", lambda s: "garbage"),
            ("enormous", lambda s: "A" * 5000),
            ("dots", lambda s: "../../" + "0" * 32),
            ("of-another-key", of_another_key),
            ("of-another-bucket", of_another_bucket),
            ("of-another-principal", of_another_principal),
            ("of-the-backend", the_backends_own),
            ("aborted", aborted),
            ("tampered", tampered),
        )
        for method in ("PUT", "POST", "DELETE", "GET")
    ),
)

COMPLETIONS = (
    Refusal("xml-billion-laughs", 400, "MalformedXML", completing(LAUGHS)),
    Refusal("xml-external-entity", 400, "MalformedXML", completing(EXTERNAL)),
    Refusal("xml-dtd", 400, "MalformedXML", completing(lambda etags: b"<!DOCTYPE x>" + listed(1)(etags))),
    Refusal("xml-none", 400, "MalformedXML", completing(b"part 1 please")),
    Refusal("xml-empty", 400, "MalformedXML", completing(b"")),
    Refusal("xml-cut", 400, "MalformedXML", completing(lambda etags: listed(1)(etags)[:-5])),
    Refusal("xml-two-documents", 400, "MalformedXML", completing(lambda etags: listed(1)(etags) * 2)),
    Refusal("xml-other-root", 400, "MalformedXML", completing(b"<Complete/>")),
    Refusal("xml-no-parts", 400, "MalformedXML", completing(b"<CompleteMultipartUpload/>")),
    Refusal("xml-deep", 400, "MalformedXML", completing(b"<CompleteMultipartUpload>" * 20_000)),
    Refusal(
        "xml-encoding-unknown",
        400,
        "MalformedXML",
        completing(lambda etags: b'<?xml version="1.0" encoding="klingon"?>' + listed(1)(etags)),
    ),
    Refusal(
        "xml-not-utf-8",
        400,
        "MalformedXML",
        completing(b"<CompleteMultipartUpload>\xff</CompleteMultipartUpload>"),
    ),
    Refusal("part-10001-listed", 400, "InvalidArgument", completing(listed(10_001))),
    Refusal("parts-10001", 400, "InvalidArgument", completing(listed(*range(1, 10_002)))),
    Refusal(
        "xml-of-5-mib",
        400,
        "MaxMessageLengthExceeded",
        completing(b"<CompleteMultipartUpload>" + b" " * 5 * 1024**2),
    ),
    Refusal("parts-in-wrong-order", 400, "InvalidPartOrder", completing(listed(2, 1), parts=2)),
    Refusal("part-listed-twice", 400, "InvalidPartOrder", completing(listed(1, 1))),
    Refusal("part-unknown", 400, "InvalidPart", completing(listed(1, 7))),
    Refusal("part-zero", 400, "InvalidArgument", completing(listed(0))),
    Refusal("part-etag-wrong", 400, "InvalidPart", completing(listed(1, etag=ETAG))),
    Refusal(
        "part-etag-of-another",
        400,
        "InvalidPart",
        completing(lambda etags: parts_xml([(1, etags[1])]), parts=2),
    ),
    Refusal("part-checksum-wrong", 400, "InvalidPart", completing(with_checksum), (FILES,)),
    Refusal("parts-small", 400, "EntityTooSmall", completing(listed(1, 2), parts=2)),
    Refusal("object-size-wrong", 400, "InvalidRequest", completing(listed(1), x_amz_mp_object_size="7")),
    Refusal(
        "object-checksum-unverifiable",
        400,
        "InvalidRequest",
        completing(listed(1), x_amz_checksum_crc32="AAAAAA=="),
        (FILES,),
    ),
    Refusal("object-checksum-wrong", 400, "BadDigest", with_wrong_object_checksum, (FILES,)),
    Refusal("document-md5-wrong", 400, "BadDigest", completing(listed(1), content_md5=md5_of(b"other"))),
)
