"""What may be written in a rule, for who writes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .fields import Kind
from .rules import RuleText

FIELD_MEANINGS: Final[Mapping[str, str]] = {
    "operation": "S3 operation, like PutObject",
    "bucket": "bucket of the request",
    "route": "route of a page, like /admin/login/",
    "method": "HTTP method",
    "name": "name of the request's span",
    "status": "HTTP status of the answer",
    "error": "S3 code of an error, like AccessDenied",
    "failed": "whether it failed by a fault of ours",
    "duration": "how long the request took",
    "bytes": "bytes of the uploaded body",
    "receive_wait": "waiting for the client's bytes",
    "backend_wait": "waiting for the storage",
    "client": "client by its User-Agent, like aws-cli",
    "principal": "hash of the caller (user.hash)",
    "spans": "number of spans",
}
ATTRIBUTE_MEANINGS: Final[Mapping[str, str]] = {
    "root.NAME": "attribute NAME of the request's span",
    "any.NAME": "attribute NAME of any of its spans",
}
VALUES: Final[Mapping[Kind, str]] = {
    "number": "403",
    "duration": "250ms, 2s, 5m",
    "size": "4096, 64KiB, 5MB",
    "flag": "true, false",
}
OPERATOR_MEANINGS: Final[Mapping[str, str]] = {
    "=": "is",
    "!=": "is not, or there is none",
    ">": "more than",
    ">=": "at least",
    "<": "less than",
    "<=": "at most",
    "in": "is one of (a, b)",
    "not-in": "is none of (a, b), or there is none",
    "starts-with": "text begins so",
    "contains": "text has it",
    "matches": "regular expression (RE2)",
    "exists": "there is a value",
}
KEEP_MEANINGS: Final[Mapping[str, str]] = {
    "always": "all",
    "never": "none",
    "10%": "a share, by trace id (or 0.1)",
    "50/s": "at most so many a second, in each worker",
    "50/s per bucket": "so many a second, shared fairly over the values of a field",
}
EXAMPLES: Final = (
    RuleText("big uploads", "always", "bytes >= 100MiB"),
    RuleText("probes", "never", "operation in (HeadBucket, HeadObject)"),
    RuleText("denied", "10%", "status = 403 and not bucket = public"),
    RuleText("fair share", "50/s per bucket"),
)
