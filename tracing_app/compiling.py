"""Compiles the modules of ``tracing_app.compiled``: ``python -m tracing_app.compiling``.

Needs Cython (which is among the requirements), a C compiler and Python's headers. Without them it says so and
is no failure: everything runs as it is written, and tracing takes more time.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tracing_app.compiled import MODULES, PLACE, ROOT, folder, sources

_CYTHON = (sys.executable, "-m", "cython", "-3", "-X", "annotation_typing=False,boundscheck=False")
_FLAGS = ("-O2", "-fPIC", "-shared", "-DNDEBUG", "-fno-strict-aliasing", "-w")


class CannotCompileError(Exception):
    """What is missing, in words for the operator."""


def main() -> int:
    place = folder()
    if place.is_dir():
        return 0
    try:
        compiler = _compiler()
    except CannotCompileError as missing:
        sys.stdout.write(f"Tracing runs uncompiled, which takes more time: {missing}\n")
        return 0
    sys.stdout.write("Compiling what records traces ...\n")
    sys.stdout.flush()
    _compile(place, compiler)
    return 0


def _compiler() -> list[str]:
    command = shlex.split(os.environ.get("CC", "") or "cc")
    if shutil.which(command[0]) is None:
        raise CannotCompileError("there is no C compiler. On Debian: apt install gcc python3-dev")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise CannotCompileError("Python's headers are missing. On Debian: apt install python3-dev")
    return command


def _compile(place: Path, compiler: list[str]) -> None:
    """All or nothing: the folder is there when everything in it is and has been loaded once."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PLACE, prefix="unfinished-") as unfinished:
        made = Path(unfinished, "made")
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(lambda module: _compile_one(module, Path(unfinished), made, compiler), MODULES))
        for old in PLACE.iterdir():
            if old.name != Path(unfinished).name:
                shutil.rmtree(old, ignore_errors=True)
        made.rename(place)
    try:
        _run(sys.executable, "-c", ";".join(f"import {module}" for module in MODULES))
    except subprocess.CalledProcessError:
        shutil.rmtree(place)
        raise


def _compile_one(module: str, unfinished: Path, made: Path, compiler: list[str]) -> None:
    code = unfinished / f"{module}.c"
    library = made.joinpath(*module.split(".")).with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
    library.parent.mkdir(parents=True, exist_ok=True)
    source = str(sources(module)[0].relative_to(ROOT))
    _run(*_CYTHON, "--module-name", module, "-o", str(code), source)
    _run(*compiler, *_FLAGS, f"-I{sysconfig.get_path('include')}", str(code), "-o", str(library))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603 - the compilers, with our own sources


if __name__ == "__main__":
    sys.exit(main())
