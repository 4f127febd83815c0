"""The object of a POST form, once its policy was found to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from uploads.s3.headers import (
    ExpectedDigests,
    ObjectMetadata,
    expected_digests,
    object_metadata,
    refuse_unsupported,
)
from uploads.s3.post_form import FormAnswer, form_answer, form_headers
from uploads.s3.post_policy import ContentLengthRange, evaluate, parse_policy


@dataclass(frozen=True, slots=True)
class FormObject:
    """What a form uploads and how it wants to be answered; the bytes are still to come."""

    key: str
    metadata: ObjectMetadata
    expected: ExpectedDigests
    length_range: ContentLengthRange | None
    answer: FormAnswer


def form_object(fields: Mapping[str, str], *, bucket: str, now: float) -> FormObject:
    """``fields`` with the key's ``${filename}`` replaced; ``now`` is Unix time. Raises S3Error, first of all
    PolicyConditionFailed. A form without a policy (of an anonymous caller) is bound by none."""
    length_range = None
    if "policy" in fields:
        length_range = evaluate(parse_policy(fields["policy"]), fields, bucket=bucket, now=now)
    headers = form_headers(fields)
    refuse_unsupported(headers)
    return FormObject(
        key=fields["key"],
        metadata=object_metadata(headers, ()),
        expected=expected_digests(headers),
        length_range=length_range,
        answer=form_answer(fields),
    )
