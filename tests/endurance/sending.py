"""An S3 client that sends bodies as a test wants: in pieces, slowly, in any framing, or not to the end."""

from __future__ import annotations

import hashlib
import http.client
import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

from authz.sigv4.signing import sign_headers

UNSIGNED = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def etag(self) -> str:
        return self.headers["etag"]

    def tag(self, name: str) -> str:
        """The text of an XML element of the answer."""
        found = re.search(rf"<{name}>([^<]*)</{name}>", self.body.decode())
        assert found, self
        return found[1]


class Sending:
    """A request whose head is sent and whose body is still to come."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def __enter__(self) -> Sending:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def send(self, block: bytes) -> None:
        """Raises OSError."""
        self._connection.send(block)

    def answer(self) -> Answer:
        """Waits for it. Raises OSError, http.client.HTTPException."""
        with closing(self._connection.getresponse()) as response:
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True)
class RawClient:
    """Signs with the gateway's own signer, which the tests of ``authz.sigv4`` hold to others'."""

    endpoint: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    timeout_seconds: float = 60.0

    def begin(
        self,
        method: str,
        path: str,
        *,
        length: int | None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        payload_hash: str = UNSIGNED,
    ) -> Sending:
        """Send the head of a request. ``path`` is not encoded yet; without a ``length`` the body has to
        come in the framing of chunked transfer-encoding."""
        pairs = list((query or {}).items())
        encoded = quote(path)
        host = urlsplit(self.endpoint).netloc
        signed = sign_headers(
            method=method,
            encoded_path=encoded,
            query=pairs,
            headers={"host": host, **(headers or {})},
            payload_hash=payload_hash,
            access_key=self.access_key_id,
            secret_key=self.secret_access_key,
            session_token=None,
            region="us-east-1",
            now=datetime.now(UTC),
        )
        connection = http.client.HTTPConnection(host, timeout=self.timeout_seconds)
        target = f"{encoded}?{urlencode(pairs, quote_via=quote)}" if pairs else encoded
        framing = {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in {**framing, **(headers or {}), **signed}.items():
                connection.putheader(name, value)
            connection.endheaders()
        except OSError:
            connection.close()
            raise
        return Sending(connection)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A whole small request, its body signed."""
        digest = hashlib.sha256(body).hexdigest()
        with self.begin(
            method, path, length=len(body), query=query, headers=headers, payload_hash=digest
        ) as sending:
            sending.send(body)
            return sending.answer()

    def put(
        self, path: str, blocks: Iterable[bytes], length: int, *, query: Mapping[str, str] | None = None
    ) -> Answer:
        """PutObject, or UploadPart with its query."""
        with self.begin("PUT", path, length=length, query=query) as sending:
            for block in blocks:
                sending.send(block)
            return sending.answer()

    def put_chunked(self, path: str, blocks: Iterable[bytes], length: int, block_bytes: int) -> Answer:
        """PutObject in aws-chunked framing with an empty trailer; every block has ``block_bytes`` bytes."""
        count, rest = divmod(length, block_bytes)
        assert rest == 0
        head = b"%x\r\n" % block_bytes
        wire = count * (len(head) + block_bytes + 2) + len(b"0\r\n\r\n")
        headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(length)}
        with self.begin("PUT", path, length=wire, headers=headers, payload_hash=UNSIGNED_TRAILER) as sending:
            for block in blocks:
                sending.send(head)
                sending.send(block)
                sending.send(b"\r\n")
            sending.send(b"0\r\n\r\n")
            return sending.answer()

    def put_unsized(self, path: str, blocks: Iterable[bytes]) -> Answer:
        """PutObject whose length nobody knows before its end."""
        with self.begin("PUT", path, length=None) as sending:
            for block in blocks:
                sending.send(b"%x\r\n" % len(block))
                sending.send(block)
                sending.send(b"\r\n")
            sending.send(b"0\r\n\r\n")
            return sending.answer()

    def create_multipart(self, path: str) -> str:
        answer = self.call("POST", path, query={"uploads": ""})
        assert answer.status == 200, answer
        return answer.tag("UploadId")

    def complete(self, path: str, upload_id: str, etags: Iterable[str]) -> Answer:
        """CompleteMultipartUpload of parts 1, 2, ... with these ETags."""
        return self.call("POST", path, query={"uploadId": upload_id}, body=part_list(etags))


def part_list(etags: Iterable[str]) -> bytes:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in enumerate(etags, 1)
    )
    return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
