"""Requests of pages of other sites: what their browsers are told, by the bucket's CORS rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

from authz.sigv4.parts import RequestParts
from uploads import responses
from uploads.config import BucketConfig
from uploads.s3.addressing import parse_address
from uploads.s3.cors import CorsRule, actual_headers, preflight_headers
from uploads.s3.errors import AccessForbidden, S3Error

_VARY = ("Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method")


class CrossOrigin:
    """One request with an ``Origin``, to a bucket that may have rules."""

    def __init__(self, rules: Sequence[CorsRule], parts: RequestParts) -> None:
        self._rules = rules
        self._method = parts.method
        self._headers = parts.headers
        self.is_preflight = parts.method == "OPTIONS" and "access-control-request-method" in parts.headers

    def answer_preflight(self) -> HttpResponse:
        """200 with what the page may do. Raises AccessForbidden, as S3 does for whatever reason."""
        headers = preflight_headers(
            self._rules,
            self._headers["origin"],
            self._headers["access-control-request-method"],
            self._headers.get("access-control-request-headers", ""),
        )
        if headers is None:
            raise AccessForbidden
        response = responses.empty()
        _add(response, headers)
        return response

    def let_read(self, response: HttpResponse) -> None:
        """Let the page read the answer, errors too, if a rule does."""
        patch_vary_headers(response, _VARY)
        if not self.is_preflight:
            _add(response, actual_headers(self._rules, self._headers["origin"], self._method) or {})


class CorsTable:
    """The rules of all buckets, by name."""

    def __init__(self, rules: Mapping[str, Sequence[CorsRule]], domain: str | None) -> None:
        self._rules = rules
        self._domain = domain

    def find(self, parts: RequestParts) -> CrossOrigin | None:
        """None for a request that is of no page, or names no bucket. A bucket that is unknown has no rules,
        so a preflight does not tell whether there is one."""
        if "origin" not in parts.headers:
            return None
        try:
            first_segment = parts.path[1:].partition(b"/")[0]  # a key that is refused is no matter here
            bucket = parse_address(b"/" + first_segment, parts.host, self._domain).bucket
        except S3Error:
            return None
        return CrossOrigin(self._rules.get(bucket or "", ()), parts)


def build_cors(buckets: Sequence[BucketConfig], domain: str | None) -> CorsTable | None:
    """None where no bucket has rules."""
    rules = {bucket.name: bucket.cors for bucket in buckets if bucket.cors}
    return CorsTable(rules, domain) if rules else None


def _add(response: HttpResponse, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        response[name] = value
