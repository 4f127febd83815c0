"""Rows of many threads in one transaction, without a thread or a timer of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError

from .rows import MAX_ROWS, Row, insert

REFUSED: Final = (DataError, IntegrityError, ValueError)
"""What says that the database does not want this row, not that it is away."""


_INTERRUPTED: Final = InterfaceError("the thread that was to write it ended")


class _Entry:
    __slots__ = ("error", "is_over", "row")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.error: Exception | None = _INTERRUPTED
        self.is_over = False


class GroupCommit:
    """Thread-safe. A thread that finds nobody writing writes at once. Those that come meanwhile wait, and the
    first of them then writes for all: the busier the database, the more rows share a transaction.

    No more rows wait than there are threads that write, for each waits for its own.
    """

    def __init__(self, insert: Callable[[Sequence[Row]], None] = insert) -> None:
        self._insert = insert
        self._waiting: deque[_Entry] = deque()
        self._turn = threading.Lock()

    def write(self, row: Row) -> None:
        """Returns when the row is committed. Raises what ``insert`` raises: a row that the database does not
        want (``REFUSED``) is no fault of the others, a database that is away is away for all."""
        mine = _Entry(row)
        self._waiting.append(mine)
        with self._turn:
            while not mine.is_over:
                self._write_next()
        if mine.error is not None:
            raise mine.error

    def _write_next(self) -> None:
        together = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_ROWS))]
        try:
            self._write_together(together)
        finally:
            for entry in together:
                entry.is_over = True

    def _write_together(self, entries: Sequence[_Entry]) -> None:
        try:
            self._insert([entry.row for entry in entries])
        except (DatabaseError, ValueError) as error:
            if isinstance(error, REFUSED) and len(entries) > 1:
                for entry in entries:
                    self._write_together([entry])
                return
            for entry in entries:
                entry.error = error
        else:
            for entry in entries:
                entry.error = None


ROWS: Final = GroupCommit()
"""Those of this process."""
