"""Many small uploads at once, on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance.load import load
from tests.endurance.memory import node_before

pytestmark = pytest.mark.slow


def test_workers_that_share_one_sqlite_file_never_find_it_locked(tmp_path: Path) -> None:
    with node_before("files", tmp_path, workers=4, threads=16) as (node, bucket):
        run = load(node, bucket, connections=64, seconds=5)
    assert len(run.milliseconds) > 100, str(run)
    assert run.is_clean, str(run)
