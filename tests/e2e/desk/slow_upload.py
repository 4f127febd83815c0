"""An upload that goes as slowly as a test wants."""

from __future__ import annotations

import http.client
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TIMEOUT_SECONDS = 30.0


class SlowUpload:
    """PutObject of ``size`` bytes by a presigned URL. When the block ends, so does the connection."""

    def __init__(self, s3: S3Client, bucket: str, key: str, size: int) -> None:
        url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key}))
        self._connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT_SECONDS)
        self._target = f"{url.path}?{url.query}"
        self._left = size

    def __enter__(self) -> Self:
        self._connection.putrequest("PUT", self._target)
        self._connection.putheader("Content-Length", str(self._left))
        self._connection.endheaders()
        return self

    def send(self, size: int) -> None:
        self._connection.send(bytes(size))
        self._left -= size

    def finish(self) -> None:
        """Send the rest; it was stored."""
        self.send(self._left)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()
