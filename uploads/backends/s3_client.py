"""Signed requests with streamed bodies to an S3 upstream: PutObject, UploadPart, CreateMultipartUpload.

boto3 takes several times the CPU for a body and cannot be told to stop before the last byte, so these
go over connections of our own. Where a bucket is and what the credentials are, boto3 decides.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

import boto3
from botocore.exceptions import NoCredentialsError
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from authz.sigv4.canonical import encode_query, encode_uri
from authz.sigv4.signing import sign_headers
from tracing_app.api import inject_context
from uploads.config import S3StorageConfig

from .errors import BackendError, BackendRefused, BackendSlowDown
from .s3_errors import FOREIGN, answered, translated
from .s3_pool import ConnectionPool, NoConnectionFree
from .s3_wire import Answer, Block, Origin, Outgoing, Timeouts, WireFailure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What requests are signed with."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bucket is: the origin, its authority for ``Host``, and the path before the key."""

    origin: Origin
    host: str
    base_path: str


@dataclass(frozen=True, slots=True)
class Call:
    """One S3 request. ``length`` is that of the body on the wire; ``headers`` are all signed."""

    operation: str
    method: str
    bucket: str
    key: str
    headers: Mapping[str, str]
    length: int
    query: Sequence[tuple[str, str]] = ()
    payload_hash: str = UNSIGNED_PAYLOAD
    is_repeatable: bool = True


class BodyClient:
    """Sends calls. Thread-safe. ``control`` is the boto3 client of the same upstream."""

    def __init__(self, config: S3StorageConfig, control: S3Client) -> None:
        timeouts = Timeouts(config.connect_timeout_seconds, config.read_timeout_seconds)
        tls = ssl.create_default_context(cafile=config.ca_file)
        self._region = config.region
        self._control = control
        self._pool = ConnectionPool(config.max_connections, timeouts, tls)
        self._credentials = credentials_source(config)
        self._places: dict[str, Place] = {}

    def send(self, call: Call, blocks: Iterator[Block]) -> Answer:
        """The upstream's 2xx answer. Raises BackendErrors, and what the body raises."""
        place = self._place(call)
        request = self._outgoing(call, place)
        try:
            answer = self._pool.exchange(place.origin, request, blocks)
        except NoConnectionFree as exc:
            raise BackendSlowDown(detail=f"{call.operation}: {exc.cause}") from exc
        except WireFailure as exc:
            raise translated(call.operation, exc.cause) from exc
        if not 200 <= answer.status < 300:
            raise _refusal(call.operation, answer)
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def _place(self, call: Call) -> Place:
        # Two threads may both ask: the answers are equal.
        place = self._places.get(call.bucket)
        if place is None:
            try:
                place = self._places[call.bucket] = bucket_place(self._control, call.bucket)
            except FOREIGN as exc:
                raise translated(call.operation, exc) from exc
        return place

    def _outgoing(self, call: Call, place: Place) -> Outgoing:
        """The request with its head: the one place where headers are put together."""
        try:
            credentials = self._credentials()
        except FOREIGN as exc:
            raise translated(call.operation, exc) from exc
        path = place.base_path + encode_uri(call.key.encode())
        headers = {"host": place.host, **call.headers}
        headers |= sign_headers(
            method=call.method,
            encoded_path=path,
            query=call.query,
            headers=headers,
            payload_hash=call.payload_hash,
            access_key=credentials.access_key,
            secret_key=credentials.secret_key,
            session_token=credentials.session_token,
            region=self._region,
            now=datetime.now(UTC),
        )
        headers["content-length"] = str(call.length)
        headers["user-agent"] = "mizuchi-uploadr"
        inject_context(
            headers, place.origin.host, place.origin.port
        )  # not signed: nothing about the object depends on it
        target = path
        if call.query:
            target += "?" + encode_query((name.encode(), value.encode()) for name, value in call.query)
        head = _head(f"{call.method} {target} HTTP/1.1", headers)
        return Outgoing(call.method, head, call.length, call.is_repeatable)


def credentials_source(config: S3StorageConfig) -> Callable[[], Credentials]:
    """The configured keys, or those of boto3's chain, refreshed when they are about to expire.

    The function returned raises botocore's exceptions.
    """
    if config.access_key is not None and config.secret_key is not None:
        fixed = Credentials(config.access_key, config.secret_key, config.session_token)
        return lambda: fixed
    chain = boto3.Session().get_credentials()

    def refreshed() -> Credentials:
        if chain is None:
            raise NoCredentialsError
        frozen = chain.get_frozen_credentials()
        if frozen.access_key is None or frozen.secret_key is None:
            raise NoCredentialsError
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return refreshed


def bucket_place(control: S3Client, bucket: str) -> Place:
    """Where boto3 would send a request for the bucket, whatever the addressing, region or partition.

    Raises botocore's exceptions.
    """
    url = urlsplit(control.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"}))
    is_tls = url.scheme == "https"
    default_port = 443 if is_tls else 80
    origin = Origin(is_tls, url.hostname or "", url.port or default_port)
    return Place(origin, url.netloc.removesuffix(f":{default_port}"), url.path.removesuffix("k"))


def _head(request_line: str, headers: Mapping[str, str]) -> bytes:
    """The head as bytes. A value is sent as the signature saw it: latin-1 where it fits, else UTF-8.

    Raises BackendRefused for what cannot stand there or would end the header.
    """
    lines = [request_line]
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or _FORBIDDEN_IN_VALUES.search(value):
            raise BackendRefused(
                "A header of the request, or a name of its metadata, has characters that no header may have."
            )
        lines.append(f"{name}: {value}")
    lines.append("\r\n")
    return b"\r\n".join([_bytes(line) for line in lines])


def _bytes(line: str) -> bytes:
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode()


def xml_fields(body: bytes) -> dict[str, str]:
    """The fields of a small S3 document by name; nothing where the body is something else."""
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError):
        return {}
    return {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in root}


def _refusal(operation: str, answer: Answer) -> BackendError:
    said = xml_fields(answer.body)
    request_id = answer.headers.get("x-amz-request-id")
    return answered(operation, answer.status, said.get("Code", ""), said.get("Message", ""), request_id)
