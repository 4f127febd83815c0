"""What is wrong with a configuration: every fault at once, each with the path of its key.

A fault never repeats the value it is about, which may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

Location = tuple[str | int, ...]


def key_path(location: Location) -> str:
    """``("buckets", 0, "limits")`` as a person writes it: ``buckets[0].limits``."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def suggestion(name: str, known: Iterable[str]) -> str:
    """Which of the known names was meant, or which there are. Does not repeat ``name``."""
    candidates = sorted(known)
    close = get_close_matches(name, candidates, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are: {', '.join(candidates)}" if candidates else "none is known"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where, and what would be right. The empty location is the whole file."""

    location: Location
    message: str

    def __str__(self) -> str:
        return f"{key_path(self.location)}: {self.message}" if self.location else self.message


class ConfigError(Exception):
    """The configuration cannot be used. ``file`` is None for the built-in defaults."""

    def __init__(self, file: Path | None, faults: Sequence[Fault]) -> None:
        self.file = file
        self.faults = tuple(faults)
        super().__init__(file, self.faults)

    def __str__(self) -> str:
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        head = f"The configuration {self.file or '(built-in defaults)'} has {count}:"
        return "\n".join([head, *(f"  {fault}" for fault in self.faults)])
