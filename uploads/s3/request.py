"""One S3 request, read from its head: everything that is known before the first body byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .addressing import Address
from .operations import Operation


@dataclass(frozen=True, slots=True)
class S3Request:
    """A request whose head is valid.

    ``query`` maps decoded parameter names to values. ``headers`` is as in ``RequestParts``.
    ``content_length`` is the length on the wire (None with chunked transfer-encoding);
    ``payload_length`` is the length of the object or part itself: ``x-amz-decoded-content-length``
    for aws-chunked bodies, the Content-Length otherwise, None when nobody promised one.
    """

    operation: Operation
    address: Address
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content_length: int | None
    payload_length: int | None
