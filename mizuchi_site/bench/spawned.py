"""Processes that take part in a benchmark: what they do must not be counted as the gateway's, nor slow it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any


@contextmanager
def spawned(target: Callable[..., None], *args: Any) -> Iterator[Connection]:
    """Runs ``target(pipe, *args)`` in a fresh process, which is killed when the block ends; yields our end
    of the pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *args), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.kill()
        process.join()
        ours.close()
