"""Requests whose body is not what its head says, in length, digest or framing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence

from tests.e2e.gateway import LIMITED
from tests.e2e.wire.client import Request
from tests.e2e.wire.refusal import Refusal
from tests.e2e.wire.scene import BODY, Scene, crc32_of, md5_of
from tests.e2e.wire.signing import (
    SIGNED_CHUNKS,
    SIGNED_CHUNKS_TRAILER,
    UNSIGNED,
    UNSIGNED_TRAILER,
    unsigned_chunks,
)

Build = Callable[[Scene], Request]
CHUNKS = (b"first " * 5, b"middle " * 5, b"last " * 5)
WHOLE = b"".join(CHUNKS)
CRC32 = ("x-amz-checksum-crc32", crc32_of(WHOLE))
WRONG_DIGESTS = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}


def declared(headers: dict[str, str], body: bytes = BODY) -> Build:
    """A signed PUT that says this of its body."""
    return lambda s: s.owner.sign(s.put(body, headers))


def base64_of(size: int) -> str:
    return base64.b64encode(b"\1" * size).decode()


def unsigned_payload(headers: dict[str, str], without: Sequence[str] = ()) -> Build:
    """A signed PUT whose payload is not, with other headers of the wire."""
    signed = declared({"x-amz-content-sha256": UNSIGNED})
    return lambda s: signed(s).without_headers(*without).with_headers(headers)


def streaming(
    form: str,
    change: Callable[[tuple[bytes, ...]], Sequence[bytes]] = lambda pieces: pieces,
    *,
    length: str | None = str(len(WHOLE)),
    announced: str | None = CRC32[0],
    trailer: tuple[str, str] | None = CRC32,
    bucket_headers: dict[str, str] | None = None,
) -> Build:
    """A PUT of ``CHUNKS`` in this form whose pieces (chunks, then the end) are changed after signing."""
    if form == SIGNED_CHUNKS:
        announced = announced if announced != CRC32[0] else None
        trailer = None

    def build(scene: Scene) -> Request:
        headers = {"x-amz-content-sha256": form, **(bucket_headers or {})}
        if length is not None:
            headers["x-amz-decoded-content-length"] = length
        if announced is not None:
            headers["x-amz-trailer"] = announced
        signed = scene.owner.sign(scene.put(headers=headers))
        if form == UNSIGNED_TRAILER:
            pieces = unsigned_chunks(CHUNKS, trailer)
        else:
            pieces = scene.owner.chunks(signed, CHUNKS, trailer)
        return signed.with_body(b"".join(change(pieces)))

    return build


def piece(index: int, change: Callable[[bytes], bytes]) -> Callable[[tuple[bytes, ...]], Sequence[bytes]]:
    """One piece changed; the others stay."""

    def changed(pieces: tuple[bytes, ...]) -> Sequence[bytes]:
        listed = list(pieces)
        listed[index] = change(listed[index])
        return listed

    return changed


def signature_flipped(chunk: bytes) -> bytes:
    head, separator, data = chunk.partition(b"\r\n")
    return head[:-1] + (b"0" if head[-1:] != b"0" else b"1") + separator + data


def resized(size: bytes) -> Callable[[bytes], bytes]:
    return lambda chunk: size + chunk[chunk.index(b";") :]


def cut_off(count: int) -> Callable[[tuple[bytes, ...]], Sequence[bytes]]:
    """All but the last bytes of the body."""
    return lambda pieces: [b"".join(pieces)[:-count]]


def te_chunked(data: bytes) -> Build:
    """A PUT of ``limited`` with chunked transfer-encoding and no length."""

    def build(scene: Scene) -> Request:
        headers = {"x-amz-content-sha256": UNSIGNED, "content-type": "text/plain"}
        signed = scene.owner.sign(scene.put(headers=headers)).without_headers("content-length")
        framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
        return (
            signed.with_body(framed)
            .without_headers("content-length")
            .and_header("Transfer-Encoding", "chunked")
        )

    return build


DIGESTS = (
    Refusal(
        "payload-hash-wrong",
        400,
        "XAmzContentSHA256Mismatch",
        declared({"x-amz-content-sha256": hashlib.sha256(b"other").hexdigest()}),
    ),
    Refusal("md5-wrong", 400, "BadDigest", declared({"content-md5": md5_of(b"other")})),
    Refusal("md5-malformed", 400, "InvalidDigest", declared({"content-md5": "not base64!"})),
    Refusal("md5-in-hex", 400, "InvalidDigest", declared({"content-md5": hashlib.md5(BODY).hexdigest()})),
    *(
        Refusal(f"{name}-wrong", 400, "BadDigest", declared({f"x-amz-checksum-{name}": base64_of(size)}))
        for name, size in WRONG_DIGESTS.items()
    ),
    *(
        Refusal(
            f"{name}-short", 400, "InvalidDigest", declared({f"x-amz-checksum-{name}": base64_of(size - 1)})
        )
        for name, size in WRONG_DIGESTS.items()
    ),
    Refusal(
        "checksums-two",
        400,
        "InvalidRequest",
        declared({"x-amz-checksum-crc32": base64_of(4), "x-amz-checksum-sha1": base64_of(20)}),
    ),
    Refusal(
        "checksum-in-header-and-trailer",
        400,
        "InvalidRequest",
        streaming(UNSIGNED_TRAILER, bucket_headers={"x-amz-checksum-sha1": base64_of(20)}),
    ),
    Refusal("checksum-unknown", 501, "NotImplemented", declared({"x-amz-checksum-crc16": "AAA="})),
    Refusal(
        "checksum-named-otherwise",
        400,
        "InvalidRequest",
        declared({"x-amz-checksum-crc32": crc32_of(BODY), "x-amz-sdk-checksum-algorithm": "SHA256"}),
    ),
)

LENGTHS = (
    Refusal("cut-short", 400, "IncompleteBody", unsigned_payload({"Content-Length": "1000"}), is_cut=True),
    Refusal(
        "nothing-sent",
        400,
        "IncompleteBody",
        lambda s: s.owner.sign(s.put(b"", {"Content-Length": "9"})),
        is_cut=True,
    ),
    Refusal(
        "length-less-than-signed",
        400,
        "XAmzContentSHA256Mismatch",
        lambda s: s.owner.sign(s.put()).with_body(BODY[:-1]),
    ),
    Refusal("length-missing", 411, "MissingContentLength", unsigned_payload({}, without=("content-length",))),
    Refusal(
        "lengths-differ",
        400,
        "InvalidRequest",
        declared({"x-amz-content-sha256": UNSIGNED, "x-amz-decoded-content-length": "7"}),
    ),
    Refusal("decoded-length-missing", 411, "MissingContentLength", streaming(SIGNED_CHUNKS, length=None)),
    Refusal(
        "decoded-length-less", 400, "IncompleteBody", streaming(SIGNED_CHUNKS, length=str(len(WHOLE) - 1))
    ),
    Refusal(
        "decoded-length-more", 400, "IncompleteBody", streaming(SIGNED_CHUNKS, length=str(len(WHOLE) + 1))
    ),
    Refusal("decoded-length-less-unsigned", 400, "IncompleteBody", streaming(UNSIGNED_TRAILER, length="1")),
    Refusal("decoded-length-more-unsigned", 400, "IncompleteBody", streaming(UNSIGNED_TRAILER, length="999")),
    Refusal("decoded-length-negative", 400, "InvalidArgument", streaming(UNSIGNED_TRAILER, length="-1")),
    Refusal("decoded-length-no-number", 400, "InvalidArgument", streaming(UNSIGNED_TRAILER, length="many")),
    Refusal("decoded-length-enormous", 400, "InvalidArgument", streaming(UNSIGNED_TRAILER, length="9" * 30)),
    Refusal(
        "over-the-limit",
        400,
        "EntityTooLarge",
        declared({"content-type": "text/plain"}, b"x" * (64 * 1024 + 1)),
        (LIMITED,),
    ),
    Refusal(
        "over-the-limit-decoded",
        400,
        "EntityTooLarge",
        streaming(UNSIGNED_TRAILER, length="65537", bucket_headers={"content-type": "text/plain"}),
        (LIMITED,),
    ),
    Refusal(
        "over-the-limit-on-the-way", 400, "EntityTooLarge", te_chunked(b"x" * (64 * 1024 + 1)), (LIMITED,)
    ),
    Refusal(
        "over-s3s-own-limit",
        400,
        "EntityTooLarge",
        unsigned_payload({"Content-Length": str(6 * 1024**4)}),
        is_cut=True,
    ),
)

AWS_CHUNKED = (
    *(
        Refusal(
            f"signature-of-{name}-chunk",
            403,
            "SignatureDoesNotMatch",
            streaming(form, piece(index, signature_flipped)),
        )
        for form in (SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER)
        for index, name in enumerate(
            f"{place}-{'trailing' if form == SIGNED_CHUNKS_TRAILER else 'plain'}"
            for place in ("first", "middle", "last", "final")
        )
    ),
    Refusal(
        "chunks-swapped",
        403,
        "SignatureDoesNotMatch",
        streaming(SIGNED_CHUNKS, lambda p: [p[1], p[0], *p[2:]]),
    ),
    Refusal(
        "chunk-left-out", 403, "SignatureDoesNotMatch", streaming(SIGNED_CHUNKS, lambda p: [p[0], *p[2:]])
    ),
    Refusal(
        "chunk-repeated",
        403,
        "SignatureDoesNotMatch",
        streaming(SIGNED_CHUNKS, lambda p: [p[0], p[0], *p[2:]]),
    ),
    Refusal(
        "chunk-unsigned",
        400,
        "IncompleteBody",
        streaming(SIGNED_CHUNKS, piece(1, lambda c: c.replace(b"chunk-signature", b"signature"))),
    ),
    Refusal(
        "size-no-number", 400, "InvalidChunkSizeError", streaming(SIGNED_CHUNKS, piece(0, resized(b"zz")))
    ),
    Refusal(
        "size-negative", 400, "InvalidChunkSizeError", streaming(SIGNED_CHUNKS, piece(0, resized(b"-1")))
    ),
    Refusal("size-empty", 400, "InvalidChunkSizeError", streaming(SIGNED_CHUNKS, piece(0, resized(b"")))),
    Refusal(
        "size-prefixed", 400, "InvalidChunkSizeError", streaming(SIGNED_CHUNKS, piece(0, resized(b"0x1e")))
    ),
    Refusal(
        "size-of-17-digits",
        400,
        "InvalidChunkSizeError",
        streaming(SIGNED_CHUNKS, piece(0, resized(b"f" * 17))),
    ),
    Refusal("size-enormous", 400, "IncompleteBody", streaming(SIGNED_CHUNKS, piece(0, resized(b"f" * 16)))),
    Refusal(
        "header-of-5000-bytes",
        400,
        "IncompleteBody",
        streaming(SIGNED_CHUNKS, piece(0, lambda c: c.replace(b";", b";" + b"x" * 5000))),
    ),
    Refusal(
        "header-without-cr",
        400,
        "IncompleteBody",
        streaming(SIGNED_CHUNKS, piece(0, lambda c: c.replace(b"\r\n", b"\n", 1))),
    ),
    Refusal(
        "data-without-crlf",
        400,
        "IncompleteBody",
        streaming(SIGNED_CHUNKS, piece(0, lambda c: c[:-2] + b"xx")),
    ),
    Refusal("final-chunk-missing", 400, "IncompleteBody", streaming(SIGNED_CHUNKS, lambda p: p[:-1])),
    Refusal(
        "final-chunk-missing-unsigned", 400, "IncompleteBody", streaming(UNSIGNED_TRAILER, lambda p: p[:-1])
    ),
    *(
        Refusal(f"last-{count}-bytes-missing", 400, "IncompleteBody", streaming(form, cut_off(count)))
        for form, count in (
            (SIGNED_CHUNKS, 1),
            (SIGNED_CHUNKS, 3),
            (SIGNED_CHUNKS, 60),
            (SIGNED_CHUNKS, 100),
            (SIGNED_CHUNKS, 200),
        )
    ),
    Refusal(
        "garbage-after-the-end", 400, "IncompleteBody", streaming(SIGNED_CHUNKS, lambda p: [*p, b"more"])
    ),
    Refusal(
        "garbage-after-the-trailer",
        400,
        "IncompleteBody",
        streaming(SIGNED_CHUNKS_TRAILER, lambda p: [*p, b"0\r\n\r\n"]),
    ),
    Refusal(
        "not-chunked-at-all",
        400,
        "InvalidChunkSizeError",
        streaming(UNSIGNED_TRAILER, lambda p: [b"plain bytes, and a line\r\n"]),
    ),
    Refusal("trailer-wrong", 400, "BadDigest", streaming(UNSIGNED_TRAILER, trailer=(CRC32[0], base64_of(4)))),
    Refusal(
        "trailer-wrong-signed",
        400,
        "BadDigest",
        streaming(SIGNED_CHUNKS_TRAILER, trailer=(CRC32[0], base64_of(4))),
    ),
    Refusal(
        "trailer-malformed", 400, "InvalidDigest", streaming(UNSIGNED_TRAILER, trailer=(CRC32[0], "no!"))
    ),
    Refusal("trailer-missing", 400, "MalformedTrailerError", streaming(UNSIGNED_TRAILER, trailer=None)),
    Refusal(
        "trailer-without-colon",
        400,
        "MalformedTrailerError",
        streaming(UNSIGNED_TRAILER, piece(-1, lambda c: c.replace(b":", b" "))),
    ),
    Refusal("trailer-undeclared", 400, "MalformedTrailerError", streaming(UNSIGNED_TRAILER, announced=None)),
    Refusal(
        "trailer-other-than-declared",
        400,
        "MalformedTrailerError",
        streaming(UNSIGNED_TRAILER, announced="x-amz-checksum-sha1"),
    ),
    Refusal(
        "trailer-twice",
        400,
        "MalformedTrailerError",
        streaming(UNSIGNED_TRAILER, piece(-1, lambda c: c[:3] + c[3:-2] * 2 + c[-2:])),
    ),
    Refusal(
        "trailer-of-a-form-without",
        400,
        "MalformedTrailerError",
        streaming(SIGNED_CHUNKS, announced="x-amz-checksum-sha1"),
    ),
    Refusal(
        "trailer-that-is-no-checksum",
        400,
        "InvalidRequest",
        streaming(UNSIGNED_TRAILER, announced="x-amz-meta-a"),
    ),
    Refusal(
        "trailer-signature-wrong",
        403,
        "SignatureDoesNotMatch",
        streaming(SIGNED_CHUNKS_TRAILER, piece(-1, lambda c: c[:-68] + b"0" * 64 + c[-4:])),
    ),
    Refusal(
        "trailer-signature-missing",
        400,
        "MalformedTrailerError",
        streaming(SIGNED_CHUNKS_TRAILER, piece(-1, lambda c: c[: c.index(b"x-amz-trailer-s")] + b"\r\n")),
    ),
)
