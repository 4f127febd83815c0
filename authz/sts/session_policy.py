"""The session policy: a small part of IAM's language, enough to narrow a session to buckets and prefixes.

Allowed is uploading as a whole (PutObject, its parts, their listing and abortion, receipts), on resources
``arn:aws:s3:::bucket/prefix*``. Whatever else a policy says would be understood wrongly, so it is refused.
Source: IAM User Guide, "Policies and permissions", "IAM JSON policy elements reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from authz.jwt.strict_json import parse_object

from .errors import MalformedPolicy, SessionTooLarge

MAX_POLICY_CHARACTERS = 2048

_UPLOADING = frozenset(
    {
        "s3:putobject",
        "s3:abortmultipartupload",
        "s3:listmultipartuploadparts",
        "s3:listbucketmultipartuploads",
        "s3:listbucket",
        "s3:getbucketlocation",
        "s3:getobject",
    }
)
_WHOLE = frozenset({"s3:putobject", "s3:put*", "s3:*", "*"})
_STATEMENT = frozenset({"Sid", "Effect", "Action", "Resource"})
_RESOURCE = re.compile(
    r"arn:aws:s3:::(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[^*?$]*)\*)?"
)


def parse_session_policy(text: str) -> Mapping[str, tuple[str, ...]] | None:
    """The prefixes it allows, by bucket; None when it narrows nothing. A bucket that is named without keys
    may be asked about, but not uploaded to. Raises MalformedPolicy, SessionTooLarge."""
    if len(text) > MAX_POLICY_CHARACTERS:
        raise SessionTooLarge(f"The session policy is longer than {MAX_POLICY_CHARACTERS} characters.")
    try:
        document = parse_object(text.encode())
    except ValueError:
        raise MalformedPolicy("The session policy is not a JSON object.") from None
    if document.get("Version", "2012-10-17") != "2012-10-17" or not {*document} <= {
        "Version",
        "Id",
        "Statement",
    }:
        raise MalformedPolicy('The session policy must be {"Version": "2012-10-17", "Statement": [...]}.')
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicy("The session policy needs a Statement.")
    return _prefixes(resource for statement in statements for resource in _resources(statement))


def _prefixes(resources: Iterator[str]) -> Mapping[str, tuple[str, ...]] | None:
    prefixes: dict[str, tuple[str, ...]] = {}
    is_narrow = True
    for resource in resources:
        if resource in ("*", "arn:aws:s3:::*"):
            is_narrow = False
            continue
        match = _RESOURCE.fullmatch(resource)
        if match is None:
            raise MalformedPolicy(
                "A Resource of the session policy must be arn:aws:s3:::BUCKET, arn:aws:s3:::BUCKET/PREFIX* "
                "or *, with no other * and ?."
            )
        given = () if match["prefix"] is None else (match["prefix"],)
        prefixes[match["bucket"]] = prefixes.get(match["bucket"], ()) + given
    return prefixes if is_narrow else None


def _resources(statement: Any) -> list[str]:
    if (
        not isinstance(statement, dict)
        or not {*statement} <= _STATEMENT
        or statement.get("Effect") != "Allow"
    ):
        raise MalformedPolicy(
            "A Statement of the session policy may only have Effect (Allow), Action, Resource and Sid."
        )
    actions = {action.lower() for action in _texts(statement.get("Action"))}
    if not actions <= _UPLOADING | _WHOLE or not actions & _WHOLE:
        raise MalformedPolicy(
            "The Action of a Statement must be s3:PutObject (or s3:*), and may name what belongs to it: "
            "s3:AbortMultipartUpload, s3:ListMultipartUploadParts, s3:ListBucketMultipartUploads, "
            "s3:ListBucket, s3:GetBucketLocation, s3:GetObject (receipts)."
        )
    return _texts(statement.get("Resource"))


def _texts(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise MalformedPolicy("Action and Resource of a Statement must be text or a list of texts.")
    return texts
