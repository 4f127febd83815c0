"""The tags of an object: a query string in ``x-amz-tagging``, XML in the ``tagging`` field of a form.

Sources: S3 User Guide, "Categorizing your objects using tags"; S3 API reference, "POST Object".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from defusedxml.ElementTree import ParseError, fromstring

from .errors import InvalidTag, MalformedXML

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

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


def tagging_from_xml(text: str) -> str:
    """The ``x-amz-tagging`` value of a ``<Tagging>`` document. Raises MalformedXML, InvalidTag."""
    try:
        root = fromstring(text.encode(), forbid_dtd=True)
    except (ParseError, ValueError, LookupError):
        raise MalformedXML("The tagging field is not a well-formed Tagging document.") from None
    (tag_set,) = _children(root, "Tagging", ("TagSet",))
    tags = []
    for tag in tag_set:
        key, value = _children(tag, "Tag", ("Key", "Value"))
        tags.append((key.text or "", value.text or ""))
    return urlencode(check_tags(tags))


def _children(element: Element, name: str, children: Sequence[str]) -> Sequence[Element]:
    found = {_local(child): child for child in element}
    if _local(element) != name or len(element) != len(children) or found.keys() != set(children):
        raise MalformedXML(f"{name} in the tagging field must have {' and '.join(children)}.")
    return [found[child] for child in children]


def _local(element: Element) -> str:
    return element.tag.removeprefix("{http://s3.amazonaws.com/doc/2006-03-01/}")
