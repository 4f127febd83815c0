"""The memory that bodies flow through: few buffers, used again and again."""

from __future__ import annotations

import mmap
import threading
from typing import Final

SMALL_BYTES: Final = 64 * 1024
LARGE_BYTES: Final = 1024 * 1024
GROWTH: Final = 4

# Shorter ones are made for their body, of its length: the allocator has them at hand.
_OWN_BYTES: Final = 16 * 1024
_LENT_BYTES: Final = 32 * 1024 * 1024
_KEPT_BYTES: Final = 8 * 1024 * 1024


class Buffers:
    """The buffers of a process. Thread-safe.

    A buffer has ``small_bytes``, or ``GROWTH`` times that, and so on up to ``large_bytes``. Of those that are
    more than small at most ``lent_bytes`` are out at a time; whoever comes then has a small one, so that
    memory stays bounded however many bodies there are. ``kept_bytes`` wait to be used again.
    """

    def __init__(
        self,
        small_bytes: int = SMALL_BYTES,
        large_bytes: int = LARGE_BYTES,
        *,
        lent_bytes: int = _LENT_BYTES,
        kept_bytes: int = _KEPT_BYTES,
    ) -> None:
        self.small_bytes = small_bytes
        self.large_bytes = large_bytes
        self._own_bytes = min(_OWN_BYTES, small_bytes)
        self._lendable = lent_bytes
        self._keepable = kept_bytes
        self._kept: dict[int, list[memoryview]] = {}
        self._lock = threading.Lock()

    def take(self, size: int) -> memoryview:
        """A buffer for about ``size`` bytes: shorter for many, or longer, to be of use to others too."""
        if size <= self._own_bytes:
            return memoryview(bytearray(size))
        wanted = self.fitting(size)
        with self._lock:
            while wanted > self.small_bytes and wanted > self._lendable:
                wanted = max(wanted // GROWTH, self.small_bytes)
            if wanted > self.small_bytes:
                self._lendable -= wanted
            kept = self._kept.get(wanted)
            if kept:
                self._keepable += wanted
                return kept.pop()
        # Mapped: the allocator's heaps do not give back what lies below something that stays.
        return memoryview(mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))

    def give_back(self, buffer: memoryview) -> None:
        """Take a buffer back that nobody reads or writes any more."""
        size = len(buffer)
        if not isinstance(buffer.obj, mmap.mmap):
            return
        with self._lock:
            if size > self.small_bytes:
                self._lendable += size
            if size <= self._keepable:
                self._keepable -= size
                self._kept.setdefault(size, []).append(buffer)

    def fitting(self, size: int) -> int:
        """The size of the buffer for ``size`` bytes, or for the beginning of more."""
        fitting = self.small_bytes
        while fitting < size and fitting < self.large_bytes:
            fitting = min(fitting * GROWTH, self.large_bytes)
        return fitting


BUFFERS: Final = Buffers()
"""Those of this process."""
