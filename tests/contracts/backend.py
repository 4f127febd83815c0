"""The contract of ``uploads.backends.base.Backend`` as tests: the same class for every backend.

A subclass named ``Test...`` supplies these fixtures:

``backend``        the backend under test
``bucket``         a bucket (folder) of it that exists and is empty
``read_object``    ``(key) -> bytes | None``, read by other means than the backend
``read_metadata``  ``(key) -> ObjectMetadata``, likewise
``leftovers``      ``() -> list[str]``: everything at the storage that is not a committed object
                   (temporary files, parts, uploads in progress)

and sets the class attributes of ``BackendDifferences`` where its storage really differs from S3.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.contracts.backend_multipart import MultipartContract
from tests.contracts.backend_objects import ObjectContract
from uploads.s3.headers import ObjectMetadata

ReadObject = Callable[[str], bytes | None]
ReadMetadata = Callable[[str], ObjectMetadata]
Leftovers = Callable[[], list[str]]


class BackendContract(ObjectContract, MultipartContract):
    """Every test of the contract. Subclass me."""
