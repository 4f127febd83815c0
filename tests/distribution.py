"""How the processes of pytest-xdist share the tests: by module, and what takes long first.

The servers of a module are then started once and not in every process; and no process is left alone with
something long at the end, when the others have nothing to do any more.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.servers.plugin import needs_a_build

# Their modules start servers, or wait; in this order. Those that need a build follow, when there is a chance
# that it is there. All others, short ones in this process, fill the end. Those that empty the database's
# tables are the last: what migrations put there, as the roles, is gone for all that follow in the process.
FIRST = ("e2e", "endurance", "bench", "deploy")
# Modules that share the servers of a session: these are started once, too.
TOGETHER = (
    re.compile(r"tests/e2e/desk/"),
    re.compile(
        r"tests/e2e/test_(before_the_body|multipart_wire|receipts|refusals|smuggling"
        r"|streaming_signatures|wire_fuzz)\.py"
    ),
    re.compile(r"tests/e2e/test_(jwt|sessions|sts)\.py"),
)


class ByModule(LoadScopeScheduling):
    """The tests of a module, or of modules of ``TOGETHER``, run in one process, in the order collected."""

    def _split_scope(self, nodeid: str) -> str:
        return next((each.pattern for each in TOGETHER if each.match(nodeid)), _module(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByModule | None:
    """Unless another way than the default is asked for."""
    if config.option.dist != "load":
        return None
    config.option.loadscopereorder = False  # it takes modules with many tests for the long ones
    return ByModule(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    built = {_module(item.nodeid) for item in items if needs_a_build(item)}
    emptying = {_module(item.nodeid) for item in items if _empties_tables(item)}
    items.sort(key=lambda item: _turn(_module(item.nodeid), built, emptying))


def _empties_tables(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return marker is not None and bool(marker.kwargs.get("transaction"))


def _turn(module: str, built: Collection[str], emptying: Collection[str]) -> int:
    if module in emptying:
        return len(FIRST) + 2
    if module in built:
        return len(FIRST)
    folders = PurePosixPath(module).parts
    return next((place for place, folder in enumerate(FIRST) if folder in folders), len(FIRST) + 1)


def _module(nodeid: str) -> str:
    return nodeid.partition("::")[0]
