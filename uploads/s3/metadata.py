"""User metadata and the text of header values.

Source: S3 User Guide, "Working with object metadata".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Final

from .errors import InvalidArgument, MetadataTooLarge

MAX_USER_METADATA_BYTES: Final = 2048
# RFC 2047 encoding swells a value; nothing above this can shrink to the limit.
_MAX_ENCODED_BYTES: Final = 4 * MAX_USER_METADATA_BYTES

_USER = "x-amz-meta-"
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[BbQq]\?[^?]*\?=")
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


def user_metadata(headers: Mapping[str, str], signed_headers: tuple[str, ...]) -> Mapping[str, str]:
    """The user's own metadata: names without ``x-amz-meta-``, in lower case, to decoded values.

    WSGI turned ``_`` into ``-``; ``signed_headers``, as the client spelled them, give it back. Raises
    MetadataTooLarge, and InvalidArgument for a name or value that cannot be told or stored.
    """
    sent = {name: value for name, value in headers.items() if name.startswith(_USER)}
    if sum(len(name) + len(value) for name, value in sent.items()) > _MAX_ENCODED_BYTES:
        raise MetadataTooLarge
    spelled = _spellings(signed_headers)
    user = {
        spelled.get(name, name).removeprefix(_USER): _mail_decoded(name, decode_value(name, value))
        for name, value in sent.items()
    }
    if "" in user:
        raise InvalidArgument("The header x-amz-meta- lacks a name behind its prefix. Name the metadata.")
    if sum(len((name + value).encode()) for name, value in user.items()) > MAX_USER_METADATA_BYTES:
        raise MetadataTooLarge
    return user


def decode_value(name: str, value: str) -> str:
    """A header's value as text: UTF-8 where it is that, Latin-1 otherwise. Raises InvalidArgument."""
    try:
        text = value.encode("latin-1").decode()
    except UnicodeError:
        text = value
    return _printable(name, text)


def _printable(name: str, text: str) -> str:
    # A line break would become a header of its own on the way to a storage.
    if _UNPRINTABLE.search(text):
        raise InvalidArgument(f"The value of {name} has a control character. Leave it out.")
    return text


def _spellings(signed_headers: tuple[str, ...]) -> Mapping[str, str]:
    spelled: dict[str, str] = {}
    for name in (signed.lower() for signed in signed_headers):
        if name.startswith(_USER) and spelled.setdefault(name.replace("_", "-"), name) != name:
            raise InvalidArgument(f"Metadata names may not differ in - and _ alone: {name}. Rename one.")
    return spelled


def _mail_decoded(name: str, value: str) -> str:
    """S3 decodes RFC 2047 words in user metadata; one that cannot be decoded stays as it is."""
    if not _ENCODED_WORD.search(value):
        return value
    try:
        text = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
    return _printable(name, text)
