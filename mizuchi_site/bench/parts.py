"""Multipart uploads of a benchmark: begun and ended here, their parts made ready for a sender."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from authz.sigv4.proof import EMPTY_SHA256

from .body_forms import Upload
from .sender import Lane
from .server import Server
from .uploads import UNSIGNED, UploadRefused, connection_to, own_path, request_head, signed
from .wire import read_body, read_head

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """An upload that takes parts at ``server``."""

    server: Server
    path: str
    upload_id: str

    def lanes(self, connections: int, parts: int, size: int) -> list[Lane]:
        """So many parts of ``size`` bytes (a MiB at most) on all connections together, no two of a number."""
        each = parts // connections
        numbers = [range(first, first + each) for first in range(1, connections * each + 1, each)]
        return [[self._part(number, size) for number in lane] for lane in numbers]

    def _part(self, number: int, size: int) -> Upload:
        query = [("partNumber", str(number)), ("uploadId", self.upload_id)]
        headers = {"content-length": str(size)}
        head = _head(self.server, "PUT", self.path, query, headers, UNSIGNED)
        return Upload(head, (b"",), size)


@contextmanager
def multipart_upload(server: Server) -> Iterator[MultipartUpload]:
    """An upload that is aborted when the block ends. Raises UploadRefused, OSError."""
    path = own_path()
    answer = _call(server, "POST", path, [("uploads", "")])
    upload = MultipartUpload(server, path, re.findall(r"<UploadId>(.+)</UploadId>", answer)[0])
    yield upload
    _call(server, "DELETE", path, [("uploadId", upload.upload_id)])


def _call(server: Server, method: str, path: str, query: Query) -> str:
    with connection_to(server) as connection:
        connection.sendall(_head(server, method, path, query, {"content-length": "0"}, EMPTY_SHA256))
        head, rest = read_head(connection)
        document = read_body(connection, head, rest)[0].decode()
    if head[9:10] != b"2":
        raise UploadRefused(head.decode("latin-1") + "\n" + document)
    return document


def _head(
    server: Server, method: str, path: str, query: Query, headers: dict[str, str], payload_hash: str
) -> bytes:
    signed_headers = signed(server, path, headers, payload_hash, method=method, query=query)
    return request_head(method, f"{path}?{urlencode(query)}", signed_headers)
