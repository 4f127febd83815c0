"""Files of a development system that only their owner may read."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Put ``text`` into ``file``, mode 0600, all at once. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    os.replace(temporary, file)


def read_exports(file: Path) -> dict[str, str]:
    """The variables of a file of ``export NAME=value`` lines; none when there is no file."""
    if not file.exists():
        return {}
    words = (shlex.split(line, comments=True) for line in file.read_text().splitlines())
    pairs = (line[1].partition("=") for line in words if len(line) == 2 and line[0] == "export")
    return {name: value for name, _, value in pairs}


def as_exports(variables: Mapping[str, str]) -> str:
    """The text of such a file, for a shell to read."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
