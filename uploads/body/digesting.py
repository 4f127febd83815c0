"""Several digests of one stream; those that cost more than the transfer run beside it in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from queue import Queue
from threading import Thread
from types import MappingProxyType, TracebackType
from typing import Self

from . import checksums
from .checksums import Hasher
from .stream import DigestAlgorithm

_SLOW: frozenset[DigestAlgorithm] = frozenset({"md5", "sha1", "sha256"})

# Starting and ending a thread costs about 200 us, what MD5 takes for 128 KiB. With a file as the sink the
# thread begins to win between 256 and 512 KiB: 1 MiB took 2.4 ms inline and 1.8 ms with it.
THREAD_FROM_BYTES = 512 * 1024


class StreamDigests:
    """Digests of the blocks passed to ``update``. A context manager: leaving it ends the helper thread.

    ``length`` is the promised length in bytes: a large body gets its thread with the first block. A
    block must not change until the digests are finished. Blocks wait at most one at a time.
    """

    def __init__(self, algorithms: Iterable[DigestAlgorithm], length: int | None) -> None:
        self._hashers = {algorithm: checksums.new(algorithm) for algorithm in algorithms}
        self._fast = [hasher for name, hasher in self._hashers.items() if name not in _SLOW]
        self._slow = [hasher for name, hasher in self._hashers.items() if name in _SLOW]
        self._size = 0
        self._promised = length or 0
        self._helper: _Helper | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._helper:
            self._helper.end()

    def update(self, block: bytes | memoryview) -> None:
        """Take the next block."""
        self._size += len(block)
        for hasher in self._fast:
            hasher.update(block)
        if not self._slow:
            return
        if self._helper is None and max(self._size, self._promised) >= THREAD_FROM_BYTES:
            self._helper = _Helper(self._slow)
        if self._helper:
            self._helper.put(block)
            return
        for hasher in self._slow:
            hasher.update(block)

    def finish(self) -> Mapping[DigestAlgorithm, bytes]:
        """The raw digests of everything; raises what the helper thread died of."""
        if self._helper:
            self._helper.end()
            self._helper.reraise()
        return MappingProxyType({name: hasher.digest() for name, hasher in self._hashers.items()})


class _Helper:
    """One thread that updates hashers with the blocks it is given; hashlib lets go of the GIL meanwhile."""

    def __init__(self, hashers: list[Hasher]) -> None:
        self._hashers = hashers
        self._blocks: Queue[bytes | memoryview | None] = Queue(maxsize=1)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="body-digests", daemon=True)
        self._thread.start()

    def put(self, block: bytes | memoryview) -> None:
        self.reraise()
        self._blocks.put(block)

    def end(self) -> None:
        if self._thread.is_alive():
            self._blocks.put(None)
            self._thread.join()

    def reraise(self) -> None:
        if self._error:
            raise self._error

    def _run(self) -> None:
        # After an error it goes on taking blocks, or put() would wait for ever.
        while (block := self._blocks.get()) is not None:
            if self._error is None:
                self._hash(block)

    def _hash(self, block: bytes | memoryview) -> None:
        try:
            for hasher in self._hashers:
                hasher.update(block)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that reads the body
            self._error = error
