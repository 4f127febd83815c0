"""Uploads as a patient client makes them: paced, and each request sent again until it is answered."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.endurance.node import ACCESS_KEY_ID, Node
from tests.endurance.sending import Answer, RawClient

PATIENCE_SECONDS = 60.0
BLOCK_BYTES = 256 * 1024


@dataclass(slots=True)
class Upload:
    """One object on its way to ``bucket``. ``attempts`` counts its requests that had no answer."""

    bucket: str
    key: str
    content: bytes = field(repr=False)
    attempts_lost: int = 0
    etag: str = ""

    @property
    def path(self) -> str:
        return f"/{self.bucket}/{self.key}"


def client_of(node: Node) -> RawClient:
    return RawClient(node.endpoint, ACCESS_KEY_ID, node.secret_access_key)


def put(client: RawClient, upload: Upload, *, seconds: float) -> None:
    """PutObject that takes that long when nothing happens to it."""
    answer = _answered(upload, lambda: _paced_put(client, upload.path, upload.content, seconds))
    upload.etag = answer.etag


def put_in_parts(client: RawClient, upload: Upload, *, seconds: float, part_bytes: int) -> None:
    """A multipart upload, its parts one after the other."""
    created = _answered(upload, lambda: client.call("POST", upload.path, query={"uploads": ""}))
    upload_id = created.tag("UploadId")
    contents = [
        upload.content[start : start + part_bytes] for start in range(0, len(upload.content), part_bytes)
    ]
    pace = seconds / len(contents)

    def put_part(number: int, content: bytes) -> str:
        query = {"partNumber": str(number), "uploadId": upload_id}
        return _answered(upload, lambda: _paced_put(client, upload.path, content, pace, query)).etag

    etags = [put_part(number, content) for number, content in enumerate(contents, 1)]
    upload.etag = complete(client, upload, upload_id, etags).tag("ETag")


def complete(client: RawClient, upload: Upload, upload_id: str, etags: Sequence[str]) -> Answer:
    """CompleteMultipartUpload, repeated until it is answered."""
    return _answered(upload, lambda: client.complete(upload.path, upload_id, etags))


def _paced_put(
    client: RawClient, path: str, content: bytes, seconds: float, query: Mapping[str, str] | None = None
) -> Answer:
    return client.put(path, _paced(content, seconds), len(content), query=query)


def _paced(content: bytes, seconds: float) -> Iterator[bytes]:
    starts = range(0, len(content), BLOCK_BYTES)
    for start in starts:
        yield content[start : start + BLOCK_BYTES]
        time.sleep(seconds / len(starts))


def _answered(upload: Upload, request: Callable[[], Answer]) -> Answer:
    """Send again what had no answer, or one that says to try later. Anything but 200 fails the test."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = request()
        except (OSError, http.client.HTTPException):
            upload.attempts_lost += 1
            time.sleep(0.2)
            continue
        if answer.status == 503:
            time.sleep(0.5)
            continue
        assert answer.status == 200, (upload, answer)
        return answer
    raise AssertionError(f"{upload}: not answered in {PATIENCE_SECONDS:g} s")


class Watch:
    """Looks at a backend all the time, for objects that are not whole."""

    def __init__(self, sizes_there: Callable[[], Mapping[str, int]], whole: Mapping[str, int]) -> None:
        """``sizes_there`` tells which objects are visible, ``whole`` how long each has to be."""
        self._sizes_there = sizes_there
        self._whole = whole
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.half: list[tuple[str, int]] = []
        self.looks = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.01):
            there = self._sizes_there()
            self.half += [(key, size) for key, size in there.items() if size != self._whole.get(key)]
            self.looks += 1


def files_there(node: Node) -> Callable[[], Mapping[str, int]]:
    """What is visible in the node's folder, by key."""

    def sizes() -> Mapping[str, int]:
        if not node.objects.exists():
            return {}
        with os.scandir(node.objects) as entries:
            return {entry.name: entry.stat().st_size for entry in entries}

    return sizes
