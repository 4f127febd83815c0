"""What answers to calls about uploads say, in boto3's form, and what goes wrong with them.

Source: S3 API reference, CompleteMultipartUpload, ListParts, ListMultipartUploads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from .base import MultipartRef, PartPage, StaleUpload, StoredObject, StoredPart
from .errors import BackendError, BackendUnavailable
from .s3_errors import FOREIGN, translated
from .s3_headers import checksum_type, checksums_in_answer


@contextmanager
def calling(
    operation: str,
    foreign: tuple[type[BaseException], ...] = FOREIGN,
    translate: Callable[[str, BaseException], BackendError] = translated,
) -> Iterator[None]:
    """Around a call and the reading of its answer: foreign exceptions become BackendErrors."""
    try:
        yield
    except KeyError as exc:
        raise BackendUnavailable(detail=f"{operation}: the answer is without {exc}") from exc
    except ValueError as exc:
        raise BackendUnavailable(detail=f"{operation}: the answer has a value of the wrong form") from exc
    except foreign as exc:
        raise translate(operation, exc) from exc


def asking_boto(operation: str) -> AbstractContextManager[None]:
    """The same around what boto3 does."""
    from . import s3_boto_errors

    return calling(operation, s3_boto_errors.FOREIGN, s3_boto_errors.translated)


def completed_object(answer: Mapping[str, Any], size: int) -> StoredObject:
    """What CompleteMultipartUpload answered; it does not tell the size."""
    checksums = checksums_in_answer(answer)
    return StoredObject(
        etag=answer["ETag"].strip('"'),
        size=size,
        checksums=checksums,
        checksum_type=checksum_type(answer.get("ChecksumType"), checksums),
        version_id=answer.get("VersionId"),
    )


def part_page(answer: Mapping[str, Any], after: int) -> PartPage:
    """What ListParts answered to a request for the parts ``after`` a number."""
    parts = tuple(
        StoredPart(
            part_number=part["PartNumber"],
            etag=part["ETag"].strip('"'),
            size=part["Size"],
            last_modified=part["LastModified"].timestamp(),
            checksums=checksums_in_answer(part),
        )
        for part in answer.get("Parts", ())
    )
    return PartPage(parts, answer["IsTruncated"], parts[-1].part_number if parts else after)


def uploads_in_progress(bucket: str, page: Mapping[str, Any]) -> list[StaleUpload]:
    """What a page of ListMultipartUploads has."""
    return [
        StaleUpload(MultipartRef(bucket, upload["Key"], upload["UploadId"]), upload["Initiated"].timestamp())
        for upload in page.get("Uploads", ())
    ]
