"""The sums of what requests came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from uploads.s3.operations import Operation

from .latency import bucket_of

_STORING = frozenset({Operation.PUT_OBJECT, Operation.POST_OBJECT, Operation.COMPLETE_MULTIPART_UPLOAD})


@dataclass(slots=True)
class Totals:
    """Sums over requests.

    ``requests`` are all; those that did not succeed are ``client_errors`` (status 4xx) or
    ``server_errors`` (5xx). ``uploads`` are the objects stored: PutObject, PostObject and
    CompleteMultipartUpload that succeeded. ``bytes_received`` are those of all bodies, as they came.

    ``transfers`` are the requests whose body flowed to a storage (PutObject, PostObject, UploadPart),
    whatever became of them; ``transfer_seconds`` is their time, ``receive_wait_seconds`` how much of it
    they waited for their clients, ``backend_wait_seconds`` for the storage.

    ``latencies`` counts by ``latency.bucket_of`` how long the requests took that stored an object or a
    part, from their head to their answer.
    """

    requests: int = 0
    uploads: int = 0
    client_errors: int = 0
    server_errors: int = 0
    bytes_received: int = 0
    transfers: int = 0
    transfer_seconds: float = 0.0
    receive_wait_seconds: float = 0.0
    backend_wait_seconds: float = 0.0
    latencies: dict[int, int] = field(default_factory=dict)

    @property
    def successes(self) -> int:
        return self.requests - self.client_errors - self.server_errors

    def add(self, operation: Operation | None, status: int, seconds: float, bytes_received: int) -> None:
        """Count a request that was answered with that status after so many seconds."""
        self.requests += 1
        self.bytes_received += bytes_received
        if status >= 500:
            self.server_errors += 1
        elif status >= 400:
            self.client_errors += 1
        elif operation is not None and operation.has_body:
            bucket = bucket_of(seconds)
            self.latencies[bucket] = self.latencies.get(bucket, 0) + 1
            if operation in _STORING:
                self.uploads += 1

    def add_transfer(self, seconds: float, receive_wait_seconds: float, backend_wait_seconds: float) -> None:
        """Count the flow of a body, of a request that took so many seconds."""
        self.transfers += 1
        self.transfer_seconds += seconds
        self.receive_wait_seconds += receive_wait_seconds
        self.backend_wait_seconds += backend_wait_seconds

    def merge(self, other: Totals) -> None:
        """Add the sums of others."""
        self.merge_sums([getattr(other, name) for name in SUMS])
        latencies = self.latencies
        for bucket, count in other.latencies.items():
            latencies[bucket] = latencies.get(bucket, 0) + count

    def merge_sums(self, sums: Sequence[float]) -> None:
        """Add numbers in the order of ``SUMS``."""
        for name, amount in zip(SUMS, sums, strict=True):
            setattr(self, name, getattr(self, name) + amount)


SUMS = tuple(each.name for each in fields(Totals) if each.name != "latencies")
"""The names of all that are plain numbers."""
