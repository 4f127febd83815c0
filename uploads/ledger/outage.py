"""A database that does not take records: what is still to be written, and whether to trust it again."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from .group_commit import REFUSED

logger = logging.getLogger("uploads.records")

MAX_LATE: Final = 1000
"""While the database is away new uploads are refused: hardly more are kept than requests were under way."""


class Outage:
    """Thread-safe, but ``write_late`` is for one thread.

    ``is_suspected`` from the first write that failed until one succeeds.
    """

    def __init__(self) -> None:
        self._late: deque[Callable[[], None]] = deque()
        self.is_suspected = False

    @property
    def late(self) -> int:
        """How many writes are kept."""
        return len(self._late)

    def failed(self, write: Callable[[], None], error: Exception) -> bool:
        """A write failed. True when it is kept, to be tried again until it succeeds: it must be one that may
        be made twice."""
        self.is_suspected = True
        if isinstance(error, REFUSED) or len(self._late) >= MAX_LATE:
            return False
        self._late.append(write)
        return True

    def over(self) -> None:
        """The database took a record."""
        self.is_suspected = False

    def write_late(self) -> None:
        """Make the writes that are kept, the oldest first. Raises DatabaseError at the first that fails; what
        the database turns out not to want is told in the log, and lost."""
        written = 0
        while self._late:
            try:
                self._late[0]()
            except REFUSED:
                logger.exception("a record that was kept is not wanted by the database, and is lost")
            else:
                written += 1
            self._late.popleft()
        if written:
            self.over()
            logger.info("%d records were written late: the database answers again", written)

    def tell_lost(self) -> None:
        """When the process ends: what is kept ends with it."""
        if self._late:
            logger.error("%d records of uploads are lost with this worker", self.late)


OUTAGE: Final = Outage()
"""That of this process's uploads."""
