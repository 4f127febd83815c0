"""One S3 request under way: what the steps of the view have found out so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from authz.identity import Authenticated
from authz.sigv4.parts import RequestParts
from uploads.body.form import FormReader
from uploads.gateway import Bucket, Gateway
from uploads.s3.errors import EntityTooLarge
from uploads.s3.operations import Operation
from uploads.s3.post_form import expand_filename
from uploads.s3.request import S3Request
from uploads.wire_source import WireSource

_FORM_OVERHEAD_BYTES = 1024 * 1024


@dataclass(slots=True)
class Call:
    """``authenticated`` is set once it is known who calls; ``form`` for POST Object only."""

    gateway: Gateway
    parts: RequestParts
    s3: S3Request
    source: WireSource
    authenticated: Authenticated = field(init=False)
    form: FormReader | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def bucket(self) -> Bucket:
        """Raises NoSuchBucket."""
        return self.gateway.bucket(self.s3.address.bucket)

    @property
    def key(self) -> str | None:
        """The key the request names; for a form, the one its fields name."""
        if self.s3.operation is Operation.POST_OBJECT:
            return self.fields.get("key")
        return self.s3.address.key

    def read_form(self) -> None:
        """Read the fields of a POST form, which hold its signature. Raises S3Error."""
        bucket = self.gateway.buckets.get(self.s3.address.bucket or "")
        if bucket is not None and self.s3.content_length is not None:
            allowed = bucket.limits.max_object_bytes + _FORM_OVERHEAD_BYTES
            if self.s3.content_length > allowed:
                raise EntityTooLarge
        content_type = self.s3.headers.get("content-type", "")
        self.form = FormReader(self.source, content_type, self.s3.content_length)
        self.fields = expand_filename(self.form.read_fields(), self.form.filename)
