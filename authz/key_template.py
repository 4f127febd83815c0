"""Where a bucket keeps each caller's keys: a template such as ``users/{subject}/``.

A subject is the issuer's to choose and can hold anything, so it is percent-encoded: it is one segment of the
key, never ``.`` or ``..``, and two subjects never share it.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from authz.identity import BucketScope

SUBJECT = "{subject}"
# A segment of its own: behind "u-{subject}" alone, bo could write what is bob's.
TEMPLATE = re.compile(r"[^{}]*\{subject\}/[^{}]*")
_KEPT = "@:+=,"
_DOTS = {".": "%2E", "..": "%2E%2E"}


def expand_template(template: str, subject: str) -> str:
    """The prefix of ``subject``'s keys. Kept as they are: ASCII letters and digits and ``-._~@:+=,``."""
    segment = quote(subject, safe=_KEPT)
    return template.replace(SUBJECT, _DOTS.get(segment, segment))


def own_scope(scope: BucketScope, bucket: str, template: str | None, subject: str) -> BucketScope:
    """``scope``, in ``bucket`` no wider than the subject's own keys."""
    return scope if template is None else scope.within(bucket, expand_template(template, subject))
