from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tracing_app.exporting.spool import Spool, SpoolUsage
from tracing_app.exporting.spool_file import PARTIAL_SUFFIX, pack, unpack


class Losses:
    def __init__(self) -> None:
        self.spans: Counter[str] = Counter()

    def __call__(self, reason: str, spans: int, traces: int) -> None:
        self.spans[reason] += spans


@pytest.fixture
def losses() -> Losses:
    return Losses()


@pytest.fixture
def spool(tmp_path: Path, losses: Losses) -> Spool:
    return Spool(tmp_path / "spool", max_bytes=1 << 20, on_loss=losses)


def drain(spool: Spool) -> list[bytes]:
    found = []
    while claim := spool.claim_oldest():
        found.append(claim.payload)
        claim.remove()
    return found


def test_the_oldest_comes_back_first(spool: Spool) -> None:
    for number in range(20):
        spool.put(b"%d" % number, spans=2, traces=1)
    assert spool.usage() == SpoolUsage(files=20, bytes=20 * 4096, spans=40, traces=20)
    assert drain(spool) == [b"%d" % number for number in range(20)]
    assert spool.usage() == SpoolUsage()


def test_a_directory_that_is_not_there_is_an_empty_spool(spool: Spool) -> None:
    assert spool.claim_oldest() is None
    assert spool.usage() == SpoolUsage()


def test_only_the_owner_may_read_it(spool: Spool, tmp_path: Path) -> None:
    spool.put(b"x", spans=1, traces=1)
    (file,) = (tmp_path / "spool").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_what_is_given_back_is_next_again(spool: Spool) -> None:
    for number in range(3):
        spool.put(b"%d" % number, spans=1, traces=1)
    claim = spool.claim_oldest()
    assert claim
    spool.give_back(claim)
    assert drain(spool) == [b"0", b"1", b"2"]


def test_without_room_the_oldest_go_and_are_counted(tmp_path: Path, losses: Losses) -> None:
    spool = Spool(tmp_path, max_bytes=10 * 4096, on_loss=losses)
    for number in range(25):
        spool.put(b"%d" % number, spans=3, traces=1)
    assert spool.usage().files == 10
    assert losses.spans == {"spool_full": 45}
    assert drain(spool)[0] == b"15"


def test_more_than_all_the_room_is_refused(tmp_path: Path, losses: Losses) -> None:
    spool = Spool(tmp_path, max_bytes=4096, on_loss=losses)
    spool.put(b"small", spans=1, traces=1)
    with pytest.raises(OSError, match="larger than the spool"):
        spool.put(os.urandom(10_000), spans=1, traces=1)
    assert drain(spool) == [b"small"]


@pytest.mark.parametrize("cut", [0, 7, 15, 16, 40])
def test_a_torn_file_is_discarded_and_counted(spool: Spool, losses: Losses, tmp_path: Path, cut: int) -> None:
    spool.put(os.urandom(100), spans=5, traces=1)
    spool.put(b"whole", spans=1, traces=1)
    torn = min((tmp_path / "spool").iterdir())
    torn.write_bytes(torn.read_bytes()[:cut])
    assert drain(spool) == [b"whole"]
    assert losses.spans == {"spool_torn": 5}
    assert spool.usage().files == 0


def test_no_byte_of_a_file_can_change_unnoticed() -> None:
    content = pack(b"the payload of a request")
    assert unpack(content) == b"the payload of a request"
    for index in range(len(content)):
        assert unpack(content[:index] + bytes((content[index] ^ 1,)) + content[index + 1 :]) is None


def test_what_its_writer_did_not_finish_is_discarded_after_a_while(
    spool: Spool, losses: Losses, tmp_path: Path
) -> None:
    spool.put(b"x", spans=4, traces=1)
    (file,) = (tmp_path / "spool").iterdir()
    partial = file.rename(file.with_name(file.name + PARTIAL_SUFFIX))
    assert spool.usage() == SpoolUsage()
    assert partial.exists()
    os.utime(partial, (time.time() - 3600,) * 2)
    assert spool.usage() == SpoolUsage()
    assert not partial.exists()
    assert losses.spans == {"spool_torn": 4}


def test_files_of_others_are_left_alone(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    other = tmp_path / "spool" / "README"
    other.write_text("hello")
    spool.put(b"x", spans=1, traces=1)
    assert drain(spool) == [b"x"]
    assert other.exists()


def test_a_claimed_request_is_nobody_else_s(tmp_path: Path, losses: Losses) -> None:
    first, second = (Spool(tmp_path, max_bytes=4096, on_loss=losses) for _ in range(2))
    first.put(b"x", spans=1, traces=1)
    claim = first.claim_oldest()
    assert claim
    assert second.claim_oldest() is None
    second.put(b"y", spans=1, traces=1)
    assert losses.spans == {}
    claim.remove()
    assert drain(second) == [b"y"]


def test_a_file_removed_between_opening_and_locking_is_not_sent_again(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.put(b"x", spans=1, traces=1)
    (file,) = (tmp_path / "spool").iterdir()
    lock = fcntl.flock

    def lock_after_another(descriptor: int, operation: int) -> None:
        file.unlink()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_after_another)
    assert spool.claim_oldest() is None


def _take_all(directory: Path, found: multiprocessing.Queue[bytes]) -> None:
    spool = Spool(directory, max_bytes=1 << 24, on_loss=Losses())
    for payload in drain(spool):
        found.put(payload)


def test_several_processes_take_each_request_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=1 << 24, on_loss=Losses())
    for number in range(200):
        spool.put(b"%d" % number, spans=1, traces=1)
    context = multiprocessing.get_context("spawn")
    found: multiprocessing.Queue[bytes] = context.Queue()
    takers = [context.Process(target=_take_all, args=(tmp_path, found)) for _ in range(3)]
    for taker in takers:
        taker.start()
    payloads = [found.get(timeout=30) for _ in range(200)]
    for taker in takers:
        taker.join(30)
    assert sorted(payloads) == sorted(b"%d" % number for number in range(200))
    assert found.empty()


_WRITER = """
import os, sys
from pathlib import Path
from tracing_app.exporting.spool import Spool
spool = Spool(Path(sys.argv[1]), max_bytes=1 << 26, on_loss=print)
claim = None
while True:
    spool.put(os.urandom(20_000), spans=1, traces=1)
    print("put", flush=True)
    claim = claim or spool.claim_oldest()
"""


def test_a_killed_process_leaves_whole_requests_and_no_claim(tmp_path: Path, losses: Losses) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    for _ in range(30):
        assert writer.stdout.readline() == "put\n"
    writer.send_signal(signal.SIGKILL)
    written = 30 + writer.stdout.read().count("put")
    writer.wait(10)
    writer.stdout.close()
    spool = Spool(tmp_path, max_bytes=1 << 26, on_loss=losses)
    assert written <= spool.usage().files <= written + 1
    assert len(drain(spool)) in (written, written + 1)
    assert losses.spans == {}
