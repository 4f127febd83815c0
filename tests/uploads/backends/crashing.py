"""Processes that die: at a chosen system call, or by SIGKILL at any moment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

#: Everything that changes what is on the disk, or orders it.
CALLS = (
    "open",
    "write",
    "fsync",
    "rename",
    "replace",
    "link",
    "unlink",
    "remove",
    "mkdir",
    "rmdir",
    "copy_file_range",
    "fchmod",
    "setxattr",
)


def started(act: Callable[[], object]) -> int:
    """Run ``act`` in a child process; returns its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        act()
        status = 0
    finally:
        os._exit(status)


def exit_code(child: int) -> int:
    """Wait for a child; negative: the signal that ended it."""
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _die_before(step: int) -> None:
    left = step

    def counting(call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **kwargs: object) -> object:
            nonlocal left
            if left == 0:
                os._exit(9)
            left -= 1
            return call(*args, **kwargs)

        return counted

    for name in CALLS:
        setattr(os, name, counting(getattr(os, name)))


def dies_before(step: int, act: Callable[[], object]) -> bool:
    """Run ``act`` in a child that exits without any clean-up before its system call number ``step``.

    False when ``act`` came to its end before that."""

    def doomed() -> None:
        _die_before(step)
        act()

    code = exit_code(started(doomed))
    assert code in (0, 9), "the child failed by itself"
    return code == 9


def deaths(act: Callable[[], object], *, prepare: Callable[[], object]) -> Iterator[int]:
    """Die at every system call of ``act`` in turn, each time after ``prepare``; yields after each death."""
    for step in range(1000):
        prepare()
        if not dies_before(step, act):
            assert step > 5, "the calls are not counted"
            return
        yield step
    raise AssertionError("act does not end")


def killed_after(seconds: float, act: Callable[[], object]) -> None:
    """Run ``act`` in a child and SIGKILL it after a while."""
    child = started(act)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    exit_code(child)
