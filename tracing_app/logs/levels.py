"""Which loggers say how much: ``info,uploads=debug,django.db=off``.

The syntax is that of Rust's ``EnvFilter``, as far as Python's loggers have a counterpart: items with commas
between. ``LEVEL`` alone is for the gateway and Django, ``LOGGER=LEVEL`` for a logger and those below it; the
longest name wins. The logger ``root`` stands for everybody else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

OFF: Final = logging.CRITICAL + 10

_LEVELS: Final[Mapping[str, int]] = {
    "off": OFF,
    "critical": logging.CRITICAL,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
_LOGGER = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*", re.ASCII)
_EXAMPLE = '"info,uploads=debug,django.db=off"'


@dataclass(frozen=True, slots=True)
class LogLevels:
    """``default`` None: the configured level. ``loggers`` are the named ones. Levels are Python's numbers."""

    default: int | None = None
    loggers: Mapping[str, int] = field(default_factory=dict)


def parse_levels(text: str) -> LogLevels:
    """Read a filter.

    Raises:
        ValueError: says which item is wrong and what would be right, without repeating it.
    """
    default: int | None = None
    loggers: dict[str, int] = {}
    for number, item in enumerate(text.split(","), start=1):
        name, is_named, level = item.rpartition("=")
        name = name.strip()
        value = _LEVELS.get(level.strip().lower())
        if value is None:
            raise _fault(number, f"does not end in a level; levels are {', '.join(_LEVELS)}")
        if not is_named:
            if default is not None:
                raise _fault(number, "is a second level for everything; keep one")
            default = value
        elif not _LOGGER.fullmatch(name):
            raise _fault(number, "does not begin with the name of a logger, such as uploads.records")
        elif name in loggers:
            raise _fault(number, "names a logger that was named before; keep one")
        else:
            loggers[name] = value
    return LogLevels(default, loggers)


def _fault(number: int, what: str) -> ValueError:
    return ValueError(f"item {number} {what}; write for example {_EXAMPLE}")
