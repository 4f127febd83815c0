"""Where a storage may really differ from S3 without breaking the contract."""

from __future__ import annotations

from typing import ClassVar

from uploads.s3.headers import ChecksumAlgorithm

MIB = 1024 * 1024


class BackendDifferences:
    """Class attributes that a subclass of the contract overrides."""

    #: A put over an existing key replaces it (else: ConditionFailed, the old object untouched).
    overwrites: ClassVar[bool] = True
    #: Content headers other than Content-Type, and x-amz-meta-*, are kept (else: Unsupported).
    holds_metadata: ClassVar[bool] = True
    #: Content-Type can be read back.
    holds_content_type: ClassVar[bool] = True
    #: A part other than the last must have 5 MiB; refused at completion.
    enforces_part_size: ClassVar[bool] = True
    #: An upload id together with another key than its own is UploadNotFound.
    binds_upload_to_key: ClassVar[bool] = True
    #: An object tells which upload it was.
    finds_completed: ClassVar[bool] = True
    #: How many blocks of a part may be pulled before its upload is found missing.
    blocks_to_find_out: ClassVar[int] = 0
    #: Checksum algorithms of single puts.
    put_checksums: ClassVar[tuple[ChecksumAlgorithm, ...]] = (
        "crc32",
        "crc32c",
        "crc64nvme",
        "sha1",
        "sha256",
    )
    #: Algorithms of multipart uploads whose composite checksum is computed at completion.
    composite_checksums: ClassVar[tuple[ChecksumAlgorithm, ...]] = ("crc32", "crc32c", "sha1", "sha256")
    #: Algorithms of multipart uploads whose full-object checksum is verified at completion.
    full_object_checksums: ClassVar[tuple[ChecksumAlgorithm, ...]] = ("crc32", "crc32c", "crc64nvme")
