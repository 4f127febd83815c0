"""Where relative paths of the configuration lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Places:
    """The project root, and the folder that ``var`` stands for (``MIZUCHI_VAR``; ``<root>/var``)."""

    root: Path
    var: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Places:
        return cls(PROJECT_ROOT, PROJECT_ROOT / (environ.get("MIZUCHI_VAR") or "var"))

    def resolve(self, path: Path) -> Path:
        """Absolute paths stay; ``var/...`` is under the var folder; others are under the project root."""
        if not path.is_absolute() and path.parts[:1] == ("var",):
            return self.var.joinpath(*path.parts[1:])
        return self.root / path


def config_file(environ: Mapping[str, str]) -> Path | None:
    """The file that ``MIZUCHI_CONFIG`` names, None when it names none."""
    named = environ.get("MIZUCHI_CONFIG")
    return PROJECT_ROOT / named if named else None
