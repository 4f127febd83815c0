"""From a list of parts to one object: the rules of CompleteMultipartUpload, and the copying.

Source: S3 API reference, CompleteMultipartUpload; S3 User Guide, "Checking object integrity".
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce

from uploads.body.checksums import combine_crc, composite, encode
from uploads.s3.headers import ChecksumAlgorithm, MultipartChecksum

from .base import CompletedPart, StoredObject, StoredPart
from .errors import BackendRefused, DigestRejected, PartInvalid, PartTooSmall
from .part_files import PartFile
from .scratch import NoHardLinks, Scratch, ScratchFile

PART_MIN_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts that make up an object, and the object they will be."""

    files: tuple[PartFile, ...]
    stored: StoredObject

    @contextmanager
    def written(self, scratch: Scratch, mode: int | None) -> Iterator[ScratchFile]:
        """A temporary file with the whole object. The parts stay. Raises ``BackendError``."""
        if len(self.files) == 1:
            try:
                with scratch.adopt(self.files[0].path) as file:
                    yield file
                    return
            except NoHardLinks:
                pass
        with scratch.open(mode) as file:
            for part in self.files:
                file.append_file(part.path)
            yield file


def assemble(
    part_of: Callable[[int], PartFile | None],
    listed: Sequence[CompletedPart],
    checksum: MultipartChecksum | None,
    full_checksum: Mapping[ChecksumAlgorithm, str],
) -> Assembly:
    """Check the list against the parts that are there.

    Raises ``PartInvalid``, ``PartTooSmall``, ``DigestRejected``, ``BackendRefused``.
    """
    if not listed:
        raise PartInvalid("The list of parts is empty.")
    files = tuple(_chosen(part_of(part.part_number), part) for part in listed)
    parts = [file.part for file in files]
    _refuse_small(parts)
    checksums = _joined(checksum, parts) if checksum else {}
    _verify(checksums, full_checksum)
    stored = StoredObject(
        etag_of_parts(parts),
        sum(part.size for part in parts),
        checksums,
        checksum.type if checksum else None,
    )
    return Assembly(files, stored)


def etag_of_parts(parts: Sequence[StoredPart | CompletedPart]) -> str:
    """The ETag of a multipart object: MD5 of the parts' MD5s, and how many. Raises ValueError for ETags
    that are no MD5s."""
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def is_made_of(etag: str, parts: Sequence[CompletedPart]) -> bool:
    """Whether this is the ETag of an object made of these parts; False where ETags are no MD5s."""
    try:
        return etag == etag_of_parts(parts)
    except ValueError:
        return False


def _chosen(file: PartFile | None, listed: CompletedPart) -> PartFile:
    if file is None:
        raise PartInvalid(f"Part {listed.part_number} was not uploaded. Upload it.")
    if file.part.etag != listed.etag:
        raise PartInvalid(f"Part {listed.part_number} has another ETag. List the parts, or upload it again.")
    for algorithm, claimed in listed.checksums.items():
        if file.part.checksums.get(algorithm) != claimed:
            raise PartInvalid(f"Part {listed.part_number} has another {algorithm} checksum. Upload it again.")
    return file


def _refuse_small(parts: Sequence[StoredPart]) -> None:
    for part in parts[:-1]:
        if part.size < PART_MIN_BYTES:
            raise PartTooSmall(
                f"Part {part.part_number} has {part.size} bytes. Every part but the last has at least 5 MiB."
            )


def _joined(checksum: MultipartChecksum, parts: Sequence[StoredPart]) -> dict[ChecksumAlgorithm, str]:
    algorithm = checksum.algorithm
    sized = [(base64.b64decode(part.checksums[algorithm]), part.size) for part in parts]
    if checksum.type == "COMPOSITE":
        return {algorithm: composite(algorithm, [digest for digest, _ in sized])}
    whole, _ = reduce(lambda a, b: (combine_crc(algorithm, a[0], b[0], b[1]), a[1] + b[1]), sized)
    return {algorithm: encode(whole)}


def _verify(computed: Mapping[ChecksumAlgorithm, str], claimed: Mapping[ChecksumAlgorithm, str]) -> None:
    for algorithm, value in claimed.items():
        if algorithm not in computed:
            raise BackendRefused(
                f"The upload was not begun with the checksum algorithm {algorithm}. Begin it with "
                f"x-amz-checksum-algorithm, or leave the checksum out."
            )
        if computed[algorithm] != value:
            raise DigestRejected
