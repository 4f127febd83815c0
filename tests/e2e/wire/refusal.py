"""One bad request, and how it must be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.wire.client import Request
from tests.e2e.wire.scene import BOTH, Scene


@dataclass(frozen=True, slots=True)
class Refusal:
    """``build`` prepares the scene, with requests of its own where it must, and gives the bad one.

    With ``is_cut`` the client says after it that nothing more comes. ``says`` is in the error's message.
    """

    name: str
    status: int
    code: str
    build: Callable[[Scene], Request]
    buckets: tuple[str, ...] = BOTH
    is_cut: bool = False
    says: str = ""
