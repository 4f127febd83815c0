"""The policy of a POST form: what the signer allows, and whether a form keeps to it.

The signature over the policy is checked by ``authz``. Source: S3 API reference, "Browser-based uploads
using POST", "POST policy".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from .errors import EntityTooLarge, EntityTooSmall, InvalidPolicyDocument, PolicyConditionFailed

# What needs no condition: the proof itself (also of signature version 2), the file, and what is ignored.
_EXEMPT = frozenset({"x-amz-signature", "signature", "awsaccesskeyid", "policy", "file"})
_EXEMPT_PREFIX = "x-ignore-"
_UNKNOWN_CONDITION = (
    'Invalid Policy: Invalid Condition: write {"field": "value"}, ["eq" or "starts-with", "$field", "value"] '
    'or ["content-length-range", from, to].'
)


class ReadableSource(Protocol):
    """A body on the wire, as ``uploads.body.stream.ByteSource``."""

    @property
    def copied_by(self) -> str: ...

    def read_into(self, buffer: memoryview, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Exact:
    """The field has exactly this value."""

    field: str
    value: str

    def holds(self, value: str) -> bool:
        return value == self.value

    def __str__(self) -> str:
        return json.dumps(["eq", f"${self.field}", self.value])


@dataclass(frozen=True, slots=True)
class StartsWith:
    """The field begins so; of a Content-Type with commas, every type in it does."""

    field: str
    prefix: str

    def holds(self, value: str) -> bool:
        if self.field == "content-type":
            return all(each.strip().startswith(self.prefix) for each in value.split(","))
        return value.startswith(self.prefix)

    def __str__(self) -> str:
        return json.dumps(["starts-with", f"${self.field}", self.prefix])


@dataclass(frozen=True, slots=True)
class ContentLengthRange:
    """How many bytes the file may have, both ends included."""

    minimum: int
    maximum: int

    def guard(self, source: ReadableSource) -> ReadableSource:
        """``source``, but it raises EntityTooLarge or EntityTooSmall when it leaves the range."""
        return _RangedSource(source, self)

    def narrowed(self, other: ContentLengthRange) -> ContentLengthRange:
        """What both allow; nothing may be left of it."""
        return ContentLengthRange(max(self.minimum, other.minimum), min(self.maximum, other.maximum))


FieldCondition = Exact | StartsWith


@dataclass(frozen=True, slots=True)
class Policy:
    """A POST policy; ``expiration`` is aware. Field names are in lower case, without ``$``."""

    expiration: datetime
    conditions: tuple[FieldCondition, ...]
    length_range: ContentLengthRange | None


def parse_policy(text: str) -> Policy:
    """The policy from the Base64 of its JSON. Raises InvalidPolicyDocument."""
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
        document = json.loads(raw, object_pairs_hook=_distinct)
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidPolicyDocument("Invalid Policy: it is not the Base64 of a JSON document.") from None
    if not isinstance(document, dict) or document.keys() != {"expiration", "conditions"}:
        raise InvalidPolicyDocument("Invalid Policy: it has an expiration and conditions, and nothing else.")
    if not isinstance(document["conditions"], list):
        raise InvalidPolicyDocument("Invalid Policy: conditions must be a list.")
    fields: list[FieldCondition] = []
    length_range: ContentLengthRange | None = None
    for entry in document["conditions"]:
        for condition in _conditions(entry):
            if isinstance(condition, ContentLengthRange):
                length_range = condition.narrowed(length_range) if length_range else condition
            else:
                fields.append(condition)
    return Policy(_expiration(document["expiration"]), tuple(fields), length_range)


def evaluate(
    policy: Policy, fields: Mapping[str, str], *, bucket: str, now: float
) -> ContentLengthRange | None:
    """What the policy leaves open, the length of the file, once everything else in it holds.

    ``fields`` are those of the form, names in lower case, ``${filename}`` already replaced; ``now`` is
    Unix time in seconds. Raises PolicyConditionFailed naming the condition or the field.
    """
    if policy.expiration.timestamp() <= now:
        raise PolicyConditionFailed("Invalid according to Policy: Policy expired. Ask for a new one.")
    values = {**fields, "bucket": bucket}
    for condition in policy.conditions:
        if condition.field not in values or not condition.holds(values[condition.field]):
            raise PolicyConditionFailed(f"Invalid according to Policy: Policy Condition failed: {condition}")
    covered = {condition.field for condition in policy.conditions}
    for name in fields:
        if name not in covered and name not in _EXEMPT and not name.startswith(_EXEMPT_PREFIX):
            raise PolicyConditionFailed(f"Invalid according to Policy: Extra input fields: {name[:200]}")
    return policy.length_range


def _conditions(entry: Any) -> list[FieldCondition | ContentLengthRange]:
    match entry:
        case dict():
            return [Exact(name.lower(), _string(value)) for name, value in entry.items()]
        case [str(operator), lower, upper] if operator.lower() == "content-length-range":
            return [_length_range(lower, upper)]
        case [str(operator), str(name), str(value)] if name.startswith("$") and len(name) > 1:
            return [_field_condition(operator.lower(), name[1:].lower(), value)]
        case _:
            raise InvalidPolicyDocument(_UNKNOWN_CONDITION)


def _field_condition(operator: str, name: str, value: str) -> FieldCondition:
    match operator:
        case "eq":
            return Exact(name, value)
        case "starts-with":
            return StartsWith(name, value)
        case _:
            raise InvalidPolicyDocument(_UNKNOWN_CONDITION)


def _length_range(lower: Any, upper: Any) -> ContentLengthRange:
    found = ContentLengthRange(_size(lower), _size(upper))
    if found.minimum > found.maximum:
        raise InvalidPolicyDocument("Invalid Policy: content-length-range begins above its end.")
    return found


def _size(value: Any) -> int:
    """A number of bytes; S3 takes it as a string too."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and re.fullmatch("[0-9]{1,19}", value):
        return int(value)
    raise InvalidPolicyDocument("Invalid Policy: content-length-range takes two numbers of bytes.")


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidPolicyDocument("Invalid Policy: Invalid Simple-Condition: value must be a string.")
    return value


def _expiration(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_string(text))
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidPolicyDocument(
            "Invalid Policy: Invalid 'expiration' value. Write it as 2030-01-01T00:00:00Z."
        ) from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


class _RangedSource:
    def __init__(self, source: ReadableSource, allowed: ContentLengthRange) -> None:
        self._source = source
        self._allowed = allowed
        self._size = 0
        self.copied_by = source.copied_by

    def read_into(self, buffer: memoryview, /) -> int:
        count = self._source.read_into(buffer)
        self._size += count
        if self._size > self._allowed.maximum:
            raise EntityTooLarge(
                f"Your proposed upload exceeds the {self._allowed.maximum} bytes of the policy."
            )
        if not count and self._size < self._allowed.minimum:
            raise EntityTooSmall(
                f"Your proposed upload has less than the policy's {self._allowed.minimum} bytes."
            )
        return count
