"""The tags of an object, as the query string that ``x-amz-tagging`` holds.

Source: S3 User Guide, "Categorizing your objects using tags".
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from .errors import InvalidTag

MAX_TAGS = 10
MAX_TAG_KEY = 128
MAX_TAG_VALUE = 256


def parse_tagging(text: str) -> Sequence[tuple[str, str]]:
    """The tags of an ``x-amz-tagging`` value, in order. Raises InvalidTag."""
    try:
        tags = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_TAGS)
    except ValueError:
        raise InvalidTag("x-amz-tagging is not a query string of at most 10 tags.") from None
    return check_tags(tags)


def check_tags(tags: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """``tags`` if an object can have them all. Raises InvalidTag."""
    if len(tags) > MAX_TAGS:
        raise InvalidTag("Object tags cannot be greater than 10. Send fewer.")
    if len({key for key, _ in tags}) < len(tags):
        raise InvalidTag("Cannot provide multiple tags with the same key. Send each key once.")
    for key, value in tags:
        if not 1 <= len(key) <= MAX_TAG_KEY:
            raise InvalidTag("A tag's key has 1 to 128 characters.")
        if len(value) > MAX_TAG_VALUE:
            raise InvalidTag("A tag's value has at most 256 characters.")
    return tags
