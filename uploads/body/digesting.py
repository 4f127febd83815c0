"""Several digests of one stream; the one that costs most runs beside the transfer, on a helper thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from . import checksums
from .checksums import Buffer, Hasher
from .lanes import HELPERS, HelperThreads, Lane
from .stream import DigestAlgorithm

# The most expensive first. CRCs cost less than handing a block over.
_SLOW: Final[tuple[DigestAlgorithm, ...]] = ("md5", "sha1", "sha256")

# A smaller body has mostly come when its first block has, so there is little left to hash it beside.
THREAD_FROM_BYTES: Final = 768 * 1024


class StreamDigests:
    """Digests of the blocks passed to ``update``.

    ``length`` is the promised length in bytes: a large body has its helper from the first block on. One
    digest is computed there, the others by the caller: receiving, storing and SHA-256 together take about as
    long as MD5.

    A block must not change until ``catch_up`` or ``finish`` returned.
    """

    def __init__(
        self, algorithms: Iterable[DigestAlgorithm], length: int | None, threads: HelperThreads = HELPERS
    ) -> None:
        self._hashers = {algorithm: checksums.new(algorithm) for algorithm in algorithms}
        self._others = dict(self._hashers)
        self._slowest: Hasher | None = None
        for name in _SLOW:
            if name in self._others:
                self._slowest = self._others.pop(name)
                break
        self._size = 0
        self._promised = length or 0
        self._threads = threads
        self._lane: Lane | None = None

    @property
    def is_behind(self) -> bool:
        """Are there blocks that are not known to be hashed?"""
        return self._lane is not None and self._lane.unfinished > 0

    def update(self, block: Buffer) -> None:
        """Take the next block."""
        self._size += len(block)
        if self._slowest is not None:
            if self._lane is not None:
                self._lane.put(block)
            elif self._promised < THREAD_FROM_BYTES and self._size < THREAD_FROM_BYTES:
                self._slowest.update(block)
            else:
                self._lane = Lane(self._slowest, self._threads)
                self._lane.put(block)
        for hasher in self._others.values():
            hasher.update(block)

    def catch_up(self, behind: int = 0) -> None:
        """Wait until at most the last ``behind`` blocks are not hashed. Raises what hashing raised."""
        if self._lane is not None:
            self._lane.wait(behind)

    def finish(self) -> Mapping[DigestAlgorithm, bytes]:
        """The raw digests of everything; raises what hashing raised."""
        self.catch_up()
        return MappingProxyType({name: hasher.digest() for name, hasher in self._hashers.items()})

    def abandon(self) -> None:
        """Wait until nobody reads a block any more; the digests are not wanted."""
        if self._lane is not None:
            self._lane.settle()
