"""Uploads that drip in for long and fail at their end, while others come and go: their traces are kept.

Nothing about them is known when they begin, so it is their end that decides, and nothing waits for it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.endurance.collecting import ARRIVAL_SECONDS, Arrived, collector_of_its_own
from tests.endurance.mixed_load import PUT
from tests.endurance.retrying import client_of
from tests.endurance.sampled_node import sampled_node
from tests.endurance.sampling_checks import Check
from tests.endurance.sending import Answer, RawClient
from tests.endurance.steady import steady_load

RATIO = 0.2
SAMPLING = {
    "ratio": RATIO,
    "slow_request_ms": None,
    "rules": [{"name": "wrong digests", "when": "error = BadDigest", "keep": "always"}],
}
BLOCK = b"x" * 1024
PAUSE_SECONDS = 0.25
STALL_SECONDS = 4.0
WRONG_MD5 = b64encode(hashlib.md5(b"another", usedforsecurity=False).digest()).decode()


@dataclass
class LongUpload:
    """One that drips until ``released``, then sends the rest. ``status``, ``reason``, ``tree``: what has to
    come of it."""

    name: str
    bucket: str
    status: int
    reason: str
    tree: str
    headers: dict[str, str]
    seconds: float = 0.0
    released: threading.Event = field(default_factory=threading.Event)

    def run(self, client: RawClient, blocks: int) -> Answer:
        began = time.monotonic()
        length = blocks * len(BLOCK)
        with client.begin("PUT", f"/{self.bucket}/long", length=length, headers=self.headers) as sending:
            for _ in range(blocks - 1):
                if not self.released.wait(PAUSE_SECONDS):
                    sending.send(BLOCK)
                    length -= len(BLOCK)
            sending.send(bytes(length))
            answer = sending.answer()
        self.seconds = time.monotonic() - began
        return answer

    def check(self, answer: Answer, arrived: Arrived, seconds: float) -> Check:
        """``seconds`` is how long it dripped at least."""
        took = arrived.milliseconds / 1000 if arrived.roots else 0.0
        is_so = (
            answer.status == self.status
            and arrived.outline == self.tree
            and arrived.mark("reason") == self.reason
            and seconds <= took <= self.seconds + 1
        )
        said = (
            f"answered with {answer.status}, {len(arrived.spans)} spans at the collector, kept for "
            f"{arrived.mark('reason')!r}, {took:.1f} s on the gateway, {self.seconds:.1f} s for the client"
        )
        return Check(f"an upload of {seconds:.0f} s with {self.name} is kept, whole", is_so, said)


def long_uploads() -> tuple[LongUpload, LongUpload]:
    """A client's fault, which a rule keeps, and one of ours."""
    remote_tree = PUT.tree.replace("INTERNAL file.write", "CLIENT S3.PutObject")
    return (
        LongUpload("a wrong digest", "files", 400, "rule", PUT.tree, {"content-md5": WRONG_MD5}),
        LongUpload("a storage gone at its end", "remote", 503, "error", remote_tree, {}),
    )


def measure_long_uploads(folder: Path, *, seconds: float) -> list[Check]:
    """Both at once for so long, beside a steady load."""
    uploads = long_uploads()
    blocks = int((seconds + ARRIVAL_SECONDS) / PAUSE_SECONDS)
    with (
        collector_of_its_own() as collector,
        sampled_node(folder, collector, SAMPLING, body_stall_seconds=STALL_SECONDS) as gateway,
        ThreadPoolExecutor(len(uploads)) as pool,
    ):
        client = client_of(gateway.node)
        answers = [pool.submit(upload.run, client, blocks) for upload in uploads]
        try:
            with steady_load(gateway.node, per_second=20) as load:
                time.sleep(seconds)
            sampled = {number for number in load.request_ids if int(number[16:], 16) / 2**64 < RATIO}
            in_time = sampled & collector.wait_for(sampled)
            are_going = not any(answer.done() for answer in answers)
            gateway.end_remote()
        finally:
            for upload in uploads:
                upload.released.set()
        ids = [answer.result().headers["x-amz-request-id"] for answer in answers]
        collector.wait_for(set(ids))
        gateway.node.stop()
        traces = collector.traces()
    slowest = max(each.milliseconds for each in load.exchanges) / 1000
    return [
        *(
            upload.check(answer.result(), traces.get(number, Arrived([])), seconds)
            for upload, answer, number in zip(uploads, answers, ids, strict=True)
        ),
        Check(
            "others are answered meanwhile",
            not load.failures and slowest < seconds,
            f"{len(load.exchanges)} requests, {len(load.failures)} failed, the slowest took {slowest:.2f} s",
        ),
        Check(
            "traces of others do not wait",
            are_going and in_time == sampled and bool(sampled),
            f"{len(in_time)} of {len(sampled)} sampled ones came while the long uploads went on",
        ),
    ]
