"""Signed requests to an S3 upstream, those of a body streamed.

boto3 takes fifteen times the CPU for a small request and cannot be told to stop before a body's last byte, so
what serves uploads goes over connections of our own. Where a bucket of AWS is, and what the credentials are
when none are configured, boto3 decides; a worker that needs neither is 30 MiB smaller without it.
"""

from __future__ import annotations

import random
import re
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uploads.config import S3StorageConfig

from .errors import BackendError, BackendSlowDown, BackendUnavailable
from .s3_answer import Answer
from .s3_channel import Block, Origin, Timeouts
from .s3_control import asking_boto
from .s3_credentials import Credentials, credentials_source
from .s3_documents import is_error, xml_fields
from .s3_errors import answered, translated
from .s3_head import Call, Place, signed_head
from .s3_pool import ConnectionPool, NoConnectionFree
from .s3_wire import Outgoing, WireFailure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_PAUSES = (1.0, 2.0)
# Without what makes boto3 think: addresses in brackets, paths, names of access points and of zones ("--").
_PLAIN_ENDPOINT = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]+))?")
_PLAIN_BUCKET = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}")


class UpstreamClient:
    """Sends calls. Thread-safe. ``control`` makes or has the boto3 client of the same upstream."""

    def __init__(self, config: S3StorageConfig, control: Callable[[], S3Client]) -> None:
        timeouts = Timeouts(config.connect_timeout_seconds, config.read_timeout_seconds)
        is_plain = (config.endpoint or "").startswith("http://")
        tls = None if is_plain else ssl.create_default_context(cafile=config.ca_file)  # takes 2 MiB
        self._config = config
        self._control = control
        self._region = config.region
        self._pool = ConnectionPool(config.max_connections, timeouts, tls)
        self._find_credentials = credentials_source(config)
        self._places: dict[str, Place] = {}

    def send(self, call: Call, blocks: Iterator[Block]) -> Answer:
        """The upstream's 2xx answer. Raises BackendErrors, and what the body raises."""
        place = self._places.get(call.bucket) or self._find(call)
        head = signed_head(call, place, self._credentials(call), self._region)
        is_head = call.method == "HEAD"
        request = Outgoing(head, call.length, call.is_repeatable, call.is_patient, is_head)
        try:
            answer = self._pool.exchange(place.origin, request, blocks)
        except NoConnectionFree as exc:
            raise BackendSlowDown(detail=f"{call.operation}: {exc.cause}") from exc
        except WireFailure as exc:
            raise translated(call.operation, exc.cause) from exc
        if not 200 <= answer.status < 300:
            raise _refusal(call.operation, answer)
        return answer

    def ask(self, call: Call, document: bytes = b"") -> Answer:
        """The same for a small document. While the upstream cannot do it now, it is asked three times in all.

        An upstream that takes long may have begun to answer 200 before it fails: that is its failure.
        """
        for seconds in _PAUSES:
            try:
                return self._ask(call, document)
            except (BackendUnavailable, BackendSlowDown):
                time.sleep(random.uniform(0, seconds))  # noqa: S311 - so that not all come again at once
        return self._ask(call, document)

    def _ask(self, call: Call, document: bytes) -> Answer:
        answer = self.send(call, iter((document,)))
        if is_error(answer.body):
            raise _refusal(call.operation, answer._replace(status=500))
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def _credentials(self, call: Call) -> Credentials:
        if self._config.secret_key is not None:
            return self._find_credentials()
        with asking_boto(call.operation):
            return self._find_credentials()

    def _find(self, call: Call) -> Place:
        # Two threads may both ask: the answers are equal.
        place = plain_place(self._config, call.bucket)
        if place is None:
            with asking_boto(call.operation):
                place = bucket_place(self._control(), call.bucket)
        self._places[call.bucket] = place
        return place


def plain_place(config: S3StorageConfig, bucket: str) -> Place | None:
    """Where boto3 would send it, too, when that is as plain as most are: to a configured endpoint, with the
    bucket in the path. None for all others."""
    endpoint = _PLAIN_ENDPOINT.fullmatch(config.endpoint or "")
    if endpoint is None or config.addressing == "virtual" or not _PLAIN_BUCKET.fullmatch(bucket):
        return None
    scheme, host, port = endpoint.groups()
    return _place(scheme == "https", host, int(port) if port else None, host, f"/{bucket}/")


def bucket_place(control: S3Client, bucket: str) -> Place:
    """Where boto3 would send a request for the bucket, whatever the addressing, region or partition.

    Raises botocore's exceptions.
    """
    url = urlsplit(control.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"}))
    is_tls, host = url.scheme == "https", url.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return _place(is_tls, host, url.port, shown, url.path.removesuffix("k"))


def _place(is_tls: bool, host: str, port: int | None, shown: str, base_path: str) -> Place:
    usual = 443 if is_tls else 80
    authority = shown if port in (None, usual) else f"{shown}:{port}"
    return Place(Origin(is_tls, host, port or usual), authority, base_path)


def _refusal(operation: str, answer: Answer) -> BackendError:
    said = xml_fields(answer.body)
    request_id = answer.headers.get("x-amz-request-id")
    return answered(operation, answer.status, said.get("Code", ""), said.get("Message", ""), request_id)
