"""A spool on disks and among files as they should not be."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.endurance.collector_outages import needs_mount_namespace
from tests.tracing_app.exporting.export_setup import (
    Scripted,
    assert_nothing_unaccounted,
    quick,
    scripted_worker,
    until,
)
from tests.tracing_app.exporting.otlp_samples import trace_of
from tracing_app.exporting.spool import Spool
from tracing_app.exporting.spool_file import PARTIAL_SUFFIX, SpoolName
from tracing_app.exporting.transport import Accepted, Retryable

AWAY = Retryable("away")
NOBODY = 65534
REPOSITORY = Path(__file__).parents[3]


@contextmanager
def another_user() -> Iterator[None]:
    """Root may write anywhere: for this thread's files, be somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def a_name(number: int = 1) -> str:
    return str(SpoolName(time.time_ns(), os.getpid(), number, 4, 1))


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def make_dangling_link(path: Path) -> None:
    path.symlink_to("/nowhere")


@pytest.mark.parametrize(
    "make",
    [make_fifo, make_folder, make_link, make_dangling_link],
    ids=["fifo", "folder", "link", "dangling"],
)
def test_what_is_no_file_is_neither_read_nor_counted(make: object, tmp_path: Path) -> None:
    losses: Counter[str] = Counter()
    make(tmp_path / a_name())  # type: ignore[operator]
    spool = Spool(tmp_path, max_bytes=1 << 20, on_loss=lambda reason, spans, traces: losses.update([reason]))
    spool.put(b"whole", spans=1, traces=1)
    found: list[bytes] = []

    def drain() -> None:
        while claim := spool.claim_oldest():
            found.append(claim.payload)
            claim.remove()

    draining = threading.Thread(target=drain, daemon=True)
    draining.start()
    draining.join(5)
    assert not draining.is_alive(), "waits for a writer"
    assert found == [b"whole"]
    assert losses == {}
    assert spool.usage().files == 0


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """One that another user may enter; the folders of pytest are closed to others."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_file_that_cannot_be_removed_is_sent_once(
    public_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a folder that became read-only: else the collector would get it again and again, without end."""
    directory = public_folder / "spool"
    Spool(directory, max_bytes=1 << 20, on_loss=print).put(b"x", spans=4, traces=1)
    if os.geteuid() == 0:
        for path in (directory, *directory.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    directory.chmod(0o500)
    spool = Spool(directory, max_bytes=1 << 20, on_loss=print)
    with another_user():
        claim = spool.claim_oldest()
        assert claim
        assert claim.payload == b"x"
        claim.remove()
        assert spool.claim_oldest() is None
        assert spool.usage().spans == 0
    directory.chmod(0o700)
    assert len(list(directory.iterdir())) == 1
    assert ["cannot be removed" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES], ids=["EIO", "EACCES"])
def test_a_file_that_cannot_be_read_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """A disk that fails: nothing real does so on demand."""
    spool = Spool(tmp_path, max_bytes=1 << 20, on_loss=print)
    spool.put(b"bad", spans=1, traces=1)
    spool.put(b"good", spans=1, traces=1)
    bad = min(tmp_path.iterdir()).stat().st_ino
    read = os.read

    def fail(descriptor: int, length: int) -> bytes:
        if os.fstat(descriptor).st_ino == bad:
            raise OSError(error, os.strerror(error))
        return read(descriptor, length)

    monkeypatch.setattr(os, "read", fail)
    claim = spool.claim_oldest()
    assert claim
    assert claim.payload == b"good"
    claim.release()


def test_a_file_that_is_being_written_is_not_taken_for_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However old the clock makes it: it may have been set forward since."""
    losses: Counter[str] = Counter()
    spool, other = (
        Spool(tmp_path, max_bytes=1 << 20, on_loss=lambda reason, spans, traces: losses.update([reason]))
        for _ in range(2)
    )
    rename = Path.rename

    def rename_late(partial: Path, path: Path) -> Path:
        os.utime(partial, (time.time() - 3600,) * 2)
        assert other.usage().files == 0
        return rename(partial, path)

    monkeypatch.setattr(Path, "rename", rename_late)
    spool.put(b"x", spans=4, traces=1)
    claim = other.claim_oldest()
    assert claim
    assert claim.payload == b"x"
    claim.release()
    assert losses == {}


def test_a_clock_that_is_set_back_keeps_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a process, and of one that comes after."""
    spool = Spool(tmp_path, max_bytes=1 << 20, on_loss=print)
    moments = iter([4_000, 3_000, 2_000, 1_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    for number in range(4):
        spool.put(b"%d" % number, spans=1, traces=1)
        if number == 1:
            spool = Spool(tmp_path, max_bytes=1 << 20, on_loss=print)
    found = []
    while claim := spool.claim_oldest():
        found.append(claim.payload)
        claim.remove()
    assert found == [b"0", b"1", b"2", b"3"]


_FULL_DISK = """
import sys
from pathlib import Path
sys.path.insert(0, ".")
from tests.tracing_app.exporting.test_spool_trouble import spool_until_full
spool_until_full(Path(sys.argv[1]))
"""


def spool_until_full(directory: Path) -> None:
    """Spool more than the disk takes; what is whole comes back, the rest is counted."""
    transport = Scripted(AWAY)
    worker = scripted_worker(quick(spool=directory, failures=1, reset=0.2), transport)
    for number in range(1, 201):
        worker.offer(trace_of(number, 8))
    until(lambda: worker.stats().queue_spans == 0 and worker.stats().in_flight_spans == 0)
    full = assert_nothing_unaccounted(worker)
    assert full.spans_dropped["spool_failed"] > 0, full
    assert full.spool.spans > 0, full
    assert full.state == "losing", full
    assert not list(directory.glob(f"*{PARTIAL_SUFFIX}")), "half files would keep the disk full"
    transport.outcomes = [Accepted()]
    until(lambda: worker.stats().spans_exported == full.spool.spans)
    assert worker.stats().spool.files == 0
    worker.offer(trace_of(999, 8))
    until(lambda: worker.stats().state == "healthy")
    assert worker.shutdown(3)
    print("as it should")


def test_a_full_disk_loses_what_it_cannot_hold_and_counts_it(tmp_path: Path) -> None:
    needs_mount_namespace()
    place = tmp_path / "small"
    place.mkdir()
    mounted = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size=64k none "{place}" && exec "$@"', "sh"]
    ended = subprocess.run(
        [*mounted, sys.executable, "-c", _FULL_DISK, str(place / "spool")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == "as it should\n", ended.stderr


def test_a_limit_on_the_size_of_files_is_no_end_of_the_worker(tmp_path: Path) -> None:
    """RLIMIT_FSIZE: without privileges, the same path as a full disk."""
    worker = scripted_worker(quick(spool=tmp_path / "spool", failures=1, reset=60), Scripted(AWAY))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        worker.offer(trace_of(1, 8))
        until(lambda: worker.stats().spans_dropped == {"spool_failed": 8})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    worker.offer(trace_of(2, 8))
    until(lambda: worker.stats().spool.spans == 8)
    assert list((tmp_path / "spool").glob(f"*{PARTIAL_SUFFIX}")) == []
    assert_nothing_unaccounted(worker)
    worker.shutdown(2)


def test_a_folder_that_is_no_folder_is_told_and_found_again_when_mended(tmp_path: Path) -> None:
    place = tmp_path / "spool"
    place.write_text("a file")
    transport = Scripted(AWAY)
    worker = scripted_worker(quick(spool=place, failures=1, reset=0.1), transport)
    worker.offer(trace_of(1, 8))
    until(lambda: worker.stats().spans_dropped == {"spool_failed": 8})
    assert "spool cannot be written" in worker.stats().last_error
    place.unlink()
    worker.offer(trace_of(2, 8))
    until(lambda: worker.stats().spool.spans == 8)
    shutil.rmtree(place)
    worker.offer(trace_of(3, 8))
    until(lambda: worker.stats().spool.spans == 8)
    worker.shutdown(2)
