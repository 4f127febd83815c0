"""A worker's memory does not grow with the uploads it receives. ``make memory`` shows it with bigger ones."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.endurance.memory import LIMIT_MIB, MIB, Uploads, measure, memory_of, node_before

pytestmark = pytest.mark.slow

COUNT = 8
SIZE = 64 * MIB
SLOW_BYTES_PER_SECOND = 6 * MIB


@pytest.mark.parametrize(
    ("backend", "kind"),
    [("files", "put"), ("sink", "put"), ("sink", "chunked"), ("sink", "parts"), ("sink", "unsized")],
)
def test_big_uploads_at_once_leave_a_worker_small(tmp_path: Path, backend: str, kind: str) -> None:
    with node_before(backend, tmp_path, workers=1) as (node, bucket):
        uploads = Uploads(node, bucket=bucket, kind=kind, size=SIZE, count=COUNT)
        run = measure(node, uploads, total_bytes=COUNT * SIZE)
    assert run.failures == ()
    assert run.is_bounded, str(run)


@pytest.mark.parametrize("threads", [16, 2], ids=["a thread for each", "most wait for a thread"])
def test_a_slow_backend_slows_the_client(tmp_path: Path, threads: int) -> None:
    """Nobody takes in what the backend does not take: a little waits in sockets, nothing in the worker."""
    with (
        node_before("sink", tmp_path, workers=1, threads=threads, bytes_per_second=SLOW_BYTES_PER_SECOND) as (
            node,
            bucket,
        ),
        ThreadPoolExecutor(1) as pool,
    ):
        uploads = Uploads(node, bucket=bucket, kind="put", size=SIZE, count=COUNT)
        uploads.warm()
        (worker,) = node.workers()
        before = memory_of(worker).resident
        sending = pool.submit(uploads.run)
        time.sleep(2)
        assert COUNT * MIB < uploads.sent_bytes < COUNT * SIZE * 0.6
        assert memory_of(worker).resident - before < LIMIT_MIB / 2
        node.kill()
        assert len(sending.result()) == COUNT
