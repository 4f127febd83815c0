"""The question put to authorization and its answer; every decision carries its reason."""

from __future__ import annotations

from dataclasses import dataclass

from authz.identity import Identity


@dataclass(slots=True)
class PolicyQuestion:
    """May ``identity`` do ``action`` (an S3 action such as ``s3:PutObject``) on this bucket and key?

    ``operation`` is the S3 API's name of the request (``UploadPart``), ``method`` that of HTTP. ``size`` is
    the payload in bytes as promised, None when nobody promised one. ``client_ip`` is for engines, never logs.

    Not frozen, for Python makes that dear, and every request makes one: nobody changes it.
    """

    identity: Identity
    action: str
    bucket: str
    key: str | None
    operation: str = ""
    method: str = ""
    size: int | None = None
    content_type: str | None = None
    client_ip: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: ``engine`` decided it, for ``reason`` (low in cardinality, safe to show and to trace)."""

    is_allowed: bool
    reason: str
    engine: str


_OTHER_BUCKET = Decision(False, "bucket out of scope", "scope")
_OTHER_KEY = Decision(False, "key out of scope", "scope")
_IN_SCOPE = Decision(True, "bucket in scope", "scope")


def decide_by_scope(question: PolicyQuestion) -> Decision:
    """An access key reaches the buckets it was made for, and no others; in a bucket of folders for everybody
    (``key_template``) and in a session with a policy, a caller reaches keys of his own."""
    scope = question.identity.scope
    if not scope.allows(question.bucket):
        return _OTHER_BUCKET
    if not scope.allows(question.bucket, question.key):
        return _OTHER_KEY
    return _IN_SCOPE
