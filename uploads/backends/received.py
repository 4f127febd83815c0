"""What a body that was read to its end says about the object it became."""

from __future__ import annotations

from uploads.body.checksums import encode
from uploads.body.stream import Body
from uploads.s3.headers import ChecksumAlgorithm

from .base import StoredObject


def checksums_of(body: Body) -> dict[ChecksumAlgorithm, str]:
    """The checksums that were computed, as S3 writes them; MD5 is the ETag's, no checksum."""
    return {algorithm: encode(digest) for algorithm, digest in body.digests.items() if algorithm != "md5"}


def object_of(body: Body) -> StoredObject:
    """The object, whose ETag is the MD5 that was wanted before."""
    checksums = checksums_of(body)
    return StoredObject(body.digests["md5"].hex(), body.size, checksums, "FULL_OBJECT" if checksums else None)
