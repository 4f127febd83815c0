"""The fields of a POST form: what they say of the object, and how the form wants to be answered.

Source: S3 API reference, "POST Object", "Browser-based uploads using POST: form fields".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from .addressing import check_key
from .errors import InvalidArgument
from .tagging import tagging_from_xml

_FILENAME: Final = "${filename}"
_HEADERS = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-md5",
        "content-type",
        "expires",
    }
)
_STATUSES: Final = {"200": 200, "201": 201, "204": 204}
_URL_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """How a form is answered: by a redirect (303) when there is one, else with the status."""

    status: int = 204
    redirect: str | None = None

    def redirect_to(self, *, bucket: str, key: str, etag: str) -> str:
        """The URL of the redirect with what was stored in its query; ``etag`` without quotes."""
        assert self.redirect is not None
        url = urlsplit(self.redirect)
        added = urlencode({"bucket": bucket, "key": key, "etag": f'"{etag}"'})
        return urlunsplit(url._replace(query=f"{url.query}&{added}" if url.query else added))


def expand_filename(fields: Mapping[str, str], filename: str | None) -> Mapping[str, str]:
    """``fields`` with ``${filename}`` in the key replaced, as the policy is to see them.

    ``filename`` is what the client calls the file; of a path, only the last part counts. Raises
    InvalidArgument for a form without a key, and as ``addressing.check_key``.
    """
    if "key" not in fields:
        raise InvalidArgument(
            "Bucket POST must contain a field named 'key'. If it is specified, put it first."
        )
    name = re.split(r"[/\\]", filename or "")[-1]
    return {**fields, "key": check_key(fields["key"].replace(_FILENAME, name))}


def form_headers(fields: Mapping[str, str]) -> Mapping[str, str]:
    """The fields that stand for headers, as those headers (WSGI's reading of them): ``acl`` and the XML in
    ``tagging`` under their header's name. Raises MalformedXML, InvalidTag."""
    headers = {name: text for name, text in fields.items() if name in _HEADERS or name.startswith("x-amz-")}
    if "acl" in fields:
        headers["x-amz-acl"] = fields["acl"]
    if "tagging" in fields:
        headers["x-amz-tagging"] = tagging_from_xml(fields["tagging"])
    return {name: text.encode().decode("latin-1") for name, text in headers.items()}


def form_answer(fields: Mapping[str, str]) -> FormAnswer:
    """What the form wants. A URL that is none of HTTP's, or a status S3 does not have, counts as absent, as
    it does for S3."""
    redirect = _url(fields.get("success_action_redirect", fields.get("redirect", "")))
    return FormAnswer(_STATUSES.get(fields.get("success_action_status", ""), 204), redirect)


def _url(text: str) -> str | None:
    """``text`` as an ASCII URL without white space, None if it is not one of HTTP with a host."""
    quoted = quote(text.strip(), safe=_URL_CHARACTERS)
    try:
        url = urlsplit(quoted)
    except ValueError:
        return None
    return quoted if url.scheme in ("http", "https") and url.hostname else None
