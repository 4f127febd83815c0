"""Which worker of its server this process is, and the board on which those leave each other their numbers."""

from __future__ import annotations

from tracing_app.metrics.board import Board
from tracing_app.metrics.meter import Place

_taken: Place | None = None


def take(board: Board, number: int) -> None:
    """Called once, by a worker that starts."""
    global _taken
    _taken = Place(board, number)


def taken_place() -> Place | None:
    """None in a process that the server did not start (tests, ``runserver``)."""
    return _taken
