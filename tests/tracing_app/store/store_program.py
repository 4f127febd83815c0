"""Processes that use the store of MIZUCHI_CONFIG: MODE MAX_TRACES MAX_AGE_HOURS."""
# ruff: noqa: E402

from __future__ import annotations

import os
import select
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import django

django.setup(set_prefix=False)

from tests.tracing_app.store.recorded import Recorded
from tracing_app.exporting.transport import Accepted
from tracing_app.store.models import StoredTrace
from tracing_app.store.rows import read_spans
from tracing_app.store.search import TraceQuery, find_traces, load_tree
from tracing_app.store.tables import ensure_tables
from tracing_app.store.transport import StoreTransport
from tracing_app.store.tree import build_tree

BUCKETS = ("one", "two", "three", "four")
"""Each writer's own; ``old`` has what was a day old when it was saved, ``next`` what was saved last."""
AT_ONCE = 5
DAY = 86_400 * 10**9


def is_over() -> bool:
    """Whether the input has ended, which all processes share."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def write(bucket: str, max_traces: int, max_age_hours: float) -> None:
    """Save requests until it is over; say how many of this bucket are saved."""
    transport = StoreTransport(max_traces=max_traces, max_age_hours=max_age_hours)
    recorded, saved = Recorded(), 0
    while not is_over():
        for _ in range(AT_ONCE):
            recorded.request("PutObject", bucket, began=time.time_ns())
        recorded.request("PutObject", "old", began=time.time_ns() - DAY)
        outcome = transport.send(recorded.payload(), 1)
        assert isinstance(outcome, Accepted), outcome
        saved += AT_ONCE
        os.write(1, f"{bucket} {saved}\n".encode())
    transport.close()


def read() -> None:
    """List and open traces until it is over; say how many were opened."""
    opened = 0
    while not is_over():
        for row in find_traces(TraceQuery())[:20]:
            tree = load_tree(row.trace_id)
            if tree is not None:  # retention may have taken it since
                assert [node.name for _, node in tree.walk()] == ["PUT s3.PutObject", "upload.work"]
                opened += 1
    os.write(1, f"opened {opened}\n".encode())


def forked(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(status)
    return pid


def several(max_traces: int, max_age_hours: float) -> None:
    """A reader and a writer for each bucket; say the writers' process ids. Fails when one of them did."""
    assert ensure_tables()
    writers = [forked(lambda bucket=bucket: write(bucket, max_traces, max_age_hours)) for bucket in BUCKETS]
    reader = forked(read)
    os.write(1, f"pids {' '.join(map(str, writers))}\n".encode())
    codes = {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in (reader, *writers)}
    sys.exit(0 if codes <= {0, -9} else 1)


def go_on(max_traces: int, max_age_hours: float) -> None:
    """Save one more request, decode all there are, and say how many there are of each bucket."""
    recorded, buckets = Recorded(), dict[str, int]()
    recorded.request("PutObject", "next", began=time.time_ns())
    assert recorded.save(max_traces=max_traces, max_age_hours=max_age_hours) == Accepted()
    for row in StoredTrace.objects.iterator():
        tree = build_tree(row.trace_id, [read_spans(row)])
        assert len(list(tree.walk())) == row.span_count == 2
        buckets[row.bucket] = buckets.get(row.bucket, 0) + 1
    print(buckets)


if __name__ == "__main__":
    mode, most, age = sys.argv[1:]
    {"several": several, "go-on": go_on}[mode](int(most), float(age))
