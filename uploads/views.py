"""The S3 API: one view with the steps of DRF (initial authenticates and asks, then the operation runs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from authz.decisions import PolicyQuestion
from authz.permissions import UploadPermission
from tracing_app.api import (
    FixedAttributes,
    is_tracing,
    known_method,
    name_request,
    note,
    redacted_key,
    trace_id,
)
from uploads import bucket_operations, exception_handler, object_operations
from uploads.access_log import log_request
from uploads.apps import configured_gateway, uploads_app
from uploads.call import Call
from uploads.cross_origin import CrossOrigin
from uploads.http import request_parts
from uploads.s3.operations import Operation
from uploads.s3.request import S3Request, parse_request
from uploads.statistics.metrics import LIMITED
from uploads.statistics.recorder import NO_BUCKET
from uploads.statistics.request import CountedRequest
from uploads.throttle.demand import Lease
from uploads.throttle.throttle import Throttle
from uploads.wire_source import WireSource

_UPLOADS = frozenset({Operation.PUT_OBJECT, Operation.POST_OBJECT, Operation.UPLOAD_PART})
_NEGOTIATOR = DefaultContentNegotiation()  # DRF makes one for every request that brings none

HANDLERS: Mapping[Operation, Callable[[Call], HttpResponse]] = {
    Operation.PUT_OBJECT: object_operations.put_object,
    Operation.POST_OBJECT: object_operations.post_object,
    Operation.CREATE_MULTIPART_UPLOAD: object_operations.create_multipart_upload,
    Operation.UPLOAD_PART: object_operations.upload_part,
    Operation.COMPLETE_MULTIPART_UPLOAD: object_operations.complete_multipart_upload,
    Operation.ABORT_MULTIPART_UPLOAD: object_operations.abort_multipart_upload,
    Operation.LIST_PARTS: object_operations.list_parts,
    Operation.HEAD_OBJECT: object_operations.head_object,
    Operation.LIST_MULTIPART_UPLOADS: bucket_operations.list_multipart_uploads,
    Operation.HEAD_BUCKET: bucket_operations.head_bucket,
    Operation.GET_BUCKET_LOCATION: bucket_operations.get_bucket_location,
    Operation.CREATE_BUCKET: bucket_operations.create_bucket,
}


class S3View(APIView):
    """Every request of the S3 API. Nothing of the body is read before authentication and permission."""

    permission_classes = [UploadPermission]

    call: Call
    cross_origin: CrossOrigin | None = None
    lease: Lease | None = None
    counted: CountedRequest
    source: WireSource | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """DRF's steps without those that have no effect here: nothing is negotiated, parsed, rendered or
        throttled, and what S3 has no operation for is refused when the request is read."""
        app = uploads_app()
        with CountedRequest(app.request_recorder, app.request_metrics, request.method or "") as self.counted:
            self.request = self.initialize_request(request)
            try:
                self.initial(self.request)
                response = self.serve()
            except Exception as error:  # noqa: BLE001 - each has its answer
                response = self.handle_exception(error)
            finally:
                if self.lease is not None:
                    self.lease.release()
            if self.cross_origin is not None:
                self.cross_origin.let_read(response)
            self.counted.status = response.status_code
            self.counted.code = getattr(response, "error_code", "")
            if self.source is not None:
                self.counted.bytes_received = self.source.received_bytes
        self._log_access(request.method, response, self.counted.seconds * 1e3)
        return response

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        made = Request(request, negotiator=_NEGOTIATOR)
        # For parsers, of which there are none here. It has the request itself: a cycle, and the collector of
        # those stops the worker for milliseconds.
        made.parser_context.clear()
        return made

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        gateway = configured_gateway()
        environ = request._request.META
        parts = request_parts(environ, gateway.config.trusted_proxies)
        if gateway.cors is not None:
            self.cross_origin = gateway.cors.find(parts)
            if self.cross_origin is not None and self.cross_origin.is_preflight:
                name_request("OPTIONS s3.Preflight")
                return
        s3 = parse_request(parts, gateway.config.domain)
        is_known = s3.address.bucket in gateway.buckets
        self.counted.is_for((is_known and s3.address.bucket) or NO_BUCKET, s3.operation)
        if is_tracing():
            _name_span(parts.method, s3, is_known=is_known)
        self.source = WireSource(environ["wsgi.input"], expected_bytes=s3.content_length)
        self.call = Call(gateway, parts, s3, self.source)
        self.perform_authentication(request)
        if gateway.throttle is not None:
            self._throttle(gateway.throttle)
        self.check_permissions(request)

    def perform_authentication(self, request: Request) -> None:
        call = self.call
        authenticator, bucket = call.gateway.authenticator, call.s3.address.bucket
        if call.s3.operation is Operation.POST_OBJECT:
            call.read_form()
            authenticated = authenticator.authenticate_form(call.fields, call.parts, bucket)
        else:
            authenticated = authenticator.authenticate(call.parts, bucket)
        call.authenticated = request.auth = authenticated
        request.user = authenticated.identity  # type: ignore[assignment]

    def _throttle(self, throttle: Throttle) -> None:
        """Before policy engines are asked: they are protected, too. Raises Throttled."""
        s3 = self.call.s3
        is_upload = s3.operation in _UPLOADS
        principal = self.call.authenticated.identity.principal
        self.lease = throttle.admit(s3.address.bucket or "", principal, is_upload=is_upload)

    def policy_question(self) -> PolicyQuestion:
        s3: S3Request = self.call.s3
        assert s3.address.bucket is not None
        return PolicyQuestion(
            self.call.authenticated.identity,
            s3.operation.action,
            s3.address.bucket,
            self.call.key,
            operation=s3.operation.value,
            method=self.call.parts.method,
            size=s3.payload_length,
            content_type=self.call.fields.get("Content-Type") or s3.headers.get("content-type"),
            client_ip=self.request._request.META.get("REMOTE_ADDR", ""),
            request_id=trace_id(),
        )

    def serve(self) -> HttpResponse:
        if self.cross_origin is not None and self.cross_origin.is_preflight:
            return self.cross_origin.answer_preflight()
        return HANDLERS[self.call.s3.operation](self.call)

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        request: HttpRequest = self.request._request
        limit = getattr(exc, "limit", None)
        if limit is not None:
            note({"mizuchi.limit.kind": limit.kind, "mizuchi.limit.reason": limit.reason})
            LIMITED.add((self.call.s3.address.bucket or "", limit.kind, limit.reason))
        return exception_handler.answer(exc, method=request.method or "", resource=request.path_info)

    def _log_access(self, method: str | None, response: HttpResponseBase, duration_ms: float) -> None:
        call: Call | None = getattr(self, "call", None)
        log_request(
            known_method(method or ""),
            call.s3.operation.value if call else None,
            response.status_code,
            getattr(response, "error_code", None),
            duration_ms=duration_ms,
            received_bytes=self.source.received_bytes if self.source else None,
        )


def _name_span(method: str, s3: S3Request, *, is_known: bool) -> None:
    """Name the root span by the operation, with the path as far as traces may show it.

    A bucket that is not ``is_known`` may be the beginning of a key, from a client that forgot the bucket.
    """
    bucket, key = s3.address.bucket or "", s3.address.key
    if bucket and not is_known:
        bucket = redacted_key(bucket)
    name, attributes = _span_of(method, s3.operation.value, bucket, bool(key))
    name_request(name, attributes, partial(_path_of, bucket, key) if key else None)


def _path_of(bucket: str, key: str) -> dict[str, str]:
    shown = redacted_key(key)
    return {"url.path": f"/{bucket}/{shown}", "aws.s3.key": shown}


@lru_cache(maxsize=1024)
def _span_of(method: str, operation: str, bucket: str, has_key: bool) -> tuple[str, FixedAttributes]:
    """The name, and what the requests of one kind to a bucket have in common."""
    attributes = {"rpc.method": f"S3/{operation}", "aws.s3.bucket": bucket}
    if has_key:
        attributes["http.route"] = "/{bucket}/{key}"
    else:
        attributes |= {"http.route": "/{bucket}", "url.path": f"/{bucket}"}
    return f"{method} s3.{operation}", FixedAttributes(attributes)
