"""How much memory a worker needs for big uploads: ``make memory``, or see ``--help``.

Uploads bodies of a size at once, from a client that makes them as it sends, and samples what the kernel says
of each worker. Exits 1 when a worker grew by ``LIMIT_MIB`` or more, or an upload failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from mizuchi_site.bench.null_s3 import running_null_s3
from tests.endurance.node import ACCESS_KEY_ID, Node, Upstream, running_node
from tests.endurance.sending import Answer, RawClient
from tests.servers.seaweedfs import running_seaweedfs

MIB = 1024 * 1024
LIMIT_MIB = 64.0
BLOCK_BYTES = MIB
KINDS = ("put", "chunked", "parts", "unsized")
BACKENDS = ("files", "seaweed", "sink")


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process holds, in MiB: now, and at most since its peak was reset."""

    resident: float
    peak: float


@dataclass(frozen=True, slots=True)
class Growth:
    """One worker: when it was new, before the uploads, and at its highest while they ran."""

    pid: int
    new: float
    baseline: float
    peak: float

    @property
    def mib(self) -> float:
        return self.peak - self.baseline


@dataclass(frozen=True, slots=True)
class Run:
    """What a run showed. ``cpu_seconds`` are those of all workers."""

    growths: tuple[Growth, ...]
    seconds: float
    cpu_seconds: float
    total_bytes: int
    failures: tuple[str, ...]

    @property
    def is_bounded(self) -> bool:
        return not self.failures and all(growth.mib < LIMIT_MIB for growth in self.growths)

    def __str__(self) -> str:
        gib = self.total_bytes / 1024**3
        lines = [
            f"worker {growth.pid}: {growth.new:.0f} MiB new, {growth.baseline:.0f} warm, "
            f"{growth.peak:.0f} at most: grew {growth.mib:.1f} MiB"
            for growth in self.growths
        ]
        rate = self.total_bytes / MIB / self.seconds
        lines.append(f"{rate:.0f} MiB/s, {self.cpu_seconds / gib:.2f} CPU s/GiB, {self.seconds:.1f} s")
        return "\n".join([*lines, *self.failures])


def memory_of(pid: int) -> Memory:
    status = Path(f"/proc/{pid}/status").read_text()
    values = [int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) / 1024 for name in ("VmRSS", "VmHWM")]
    return Memory(*values)


def cpu_seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reset_peak(pid: int) -> None:
    """Set the process's VmHWM to what it holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


class Uploads:
    """``count`` bodies of ``size`` bytes, sent at once to a bucket, each in the manner of ``kind``."""

    def __init__(self, node: Node, *, bucket: str, kind: str, size: int, count: int) -> None:
        self._client = RawClient(node.endpoint, ACCESS_KEY_ID, node.secret_access_key, timeout_seconds=600)
        self._bucket = bucket
        self._kind = kind
        self._size = size
        self._count = count
        self._block = os.urandom(BLOCK_BYTES)
        self.sent_bytes = 0
        self._lock = threading.Lock()

    def run(self) -> tuple[str, ...]:
        """Upload all; what failed, in words."""
        with ThreadPoolExecutor(self._count) as pool:
            return tuple(text for text in pool.map(self._upload, range(self._count)) if text)

    def warm(self) -> None:
        """Small uploads at once, so that the threads, pools and imports are there before the baseline."""
        with ThreadPoolExecutor(2 * self._count) as pool:
            for answer in pool.map(self._put_small, range(4 * self._count)):
                assert answer.status == 200, answer

    def _put_small(self, number: int) -> Answer:
        return self._client.put(f"/{self._bucket}/warm-{number}", [self._block], BLOCK_BYTES)

    def _upload(self, number: int) -> str:
        path = f"/{self._bucket}/big-{number}"
        try:
            answer = self._send(path)
        except OSError as error:
            return f"{path}: {error!r}"
        return "" if answer.status == 200 else f"{path}: {answer}"

    def _send(self, path: str) -> Answer:
        match self._kind:
            case "put":
                return self._client.put(path, self._blocks(), self._size)
            case "chunked":
                return self._client.put_chunked(path, self._blocks(), self._size, BLOCK_BYTES)
            case "unsized":
                return self._client.put_unsized(path, self._blocks())
            case _:
                return self._send_parts(path)

    def _send_parts(self, path: str) -> Answer:
        upload_id = self._client.create_multipart(path)
        etags = []
        for number in range(1, self._size // (64 * MIB) + 1):
            query = {"partNumber": str(number), "uploadId": upload_id}
            blocks = (block for block, _ in zip(self._blocks(), range(64), strict=False))
            answer = self._client.put(path, blocks, 64 * MIB, query=query)
            if answer.status != 200:
                return answer
            etags.append(answer.etag)
        return self._client.complete(path, upload_id, etags)

    def _blocks(self) -> Iterator[bytes]:
        for _ in range(self._size // BLOCK_BYTES):
            yield self._block
            with self._lock:
                self.sent_bytes += BLOCK_BYTES


def measure(node: Node, uploads: Uploads, *, total_bytes: int) -> Run:
    """Warm the node's workers, upload, and see what the workers held meanwhile."""
    workers = node.workers()
    new = {pid: memory_of(pid).resident for pid in workers}
    uploads.warm()
    for pid in workers:
        reset_peak(pid)
    before = {pid: (memory_of(pid).resident, cpu_seconds_of(pid)) for pid in workers}
    began = time.monotonic()
    failures = uploads.run()
    seconds = time.monotonic() - began
    return Run(
        growths=tuple(Growth(pid, new[pid], before[pid][0], memory_of(pid).peak) for pid in workers),
        seconds=seconds,
        cpu_seconds=sum(cpu_seconds_of(pid) - before[pid][1] for pid in workers),
        total_bytes=total_bytes,
        failures=failures,
    )


@contextmanager
def node_before(
    backend: str, folder: Path, *, workers: int, threads: int = 64, bytes_per_second: int = 0
) -> Iterator[tuple[Node, str]]:
    """A running gateway and its bucket that leads to the backend."""
    with ExitStack() as stack:
        upstream = None
        if backend == "sink":
            endpoint = stack.enter_context(running_null_s3(bytes_per_second=bytes_per_second))
            upstream = Upstream(endpoint, "null", "AKNULL", "null-secret")
        elif backend == "seaweed":
            server = stack.enter_context(running_seaweedfs(folder))
            upstream = Upstream(
                server.endpoint, server.create_bucket(), server.access_key, server.secret_key, server.region
            )
        node = Node(folder / "node", upstream, server={"workers": workers, "threads": threads})
        yield stack.enter_context(running_node(node)), "seaweed" if upstream else "files"


def size_in_bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)(MiB|GiB)", text)
    if not match:
        raise argparse.ArgumentTypeError("give a size like 128MiB or 1GiB")
    return int(match[1]) * (MIB if match[2] == "MiB" else 1024 * MIB)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=size_in_bytes, default=1024 * MIB, help="of each body (1GiB)")
    parser.add_argument("--uploads", type=int, default=8, help="at once (8)")
    parser.add_argument("--backend", choices=BACKENDS, default="files")
    parser.add_argument("--kind", choices=KINDS, default="put", help="how the bodies are sent (put)")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mizuchi-memory-"))
    try:
        with node_before(options.backend, folder, workers=options.workers) as (node, bucket):
            uploads = Uploads(
                node, bucket=bucket, kind=options.kind, size=options.size, count=options.uploads
            )
            run = measure(node, uploads, total_bytes=options.size * options.uploads)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{options.uploads} x {options.size // MIB} MiB, {options.kind}, to {options.backend}\n{run}")
    return 0 if run.is_bounded else 1


if __name__ == "__main__":
    sys.exit(main())
