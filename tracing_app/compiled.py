"""Where the compiled forms are of modules that every request goes through.

``python -m tracing_app.compiling``, which ``make setup`` runs, makes them where a C compiler is at hand. They
are looked for by what is in the sources: after any change of one the modules run as they are written, until
they are compiled anew. Which of them runs makes no difference but in time.
"""

from __future__ import annotations

import hashlib
import os
import sysconfig
from collections.abc import Iterable
from pathlib import Path

MODULES = (
    "tracing_app.recording.attributes",
    "tracing_app.recording.current_context",
    "tracing_app.recording.fixed",
    "tracing_app.recording.span",
    "tracing_app.recording.stage",
    "tracing_app.recording.trace_buffer",
    "tracing_app.recording.tracer",
    "tracing_app.sampling.tail",
    "tracing_app.exporting.plain_trace",
    "tracing_app.middleware",
)
ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "build" / "compiled"

IS_WANTED = os.environ.get("MIZUCHI_COMPILED", "") != "no"


def sources(module: str) -> list[Path]:
    """The files that a module is compiled from: its code, and the types beside it."""
    stem = ROOT.joinpath(*module.split("."))
    return [path for ending in (".py", ".pyx", ".pxd") if (path := stem.with_suffix(ending)).is_file()]


def folder() -> Path:
    """Where the compiled forms of the sources as they are now belong, for this interpreter."""
    digest = hashlib.sha256()
    for module in MODULES:
        for path in sources(module):
            content = path.read_bytes()
            digest.update(f"{path.name}:{len(content)}:".encode() + content)
    return PLACE / f"{sysconfig.get_config_var('SOABI')}-{digest.hexdigest()[:16]}"


_folder = folder() if IS_WANTED and PLACE.is_dir() else None
IS_COMPILED = _folder is not None and _folder.is_dir()
"""Whether the compiled forms run in this process."""


def beside(package: str, path: Iterable[str]) -> list[str]:
    """The path of a package, its compiled modules first."""
    if _folder is None or not IS_COMPILED:
        return list(path)
    return [str(_folder.joinpath(*package.split("."))), *path]
