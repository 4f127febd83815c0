"""Which pages of other sites may talk to a bucket, in the words of S3's CORS configuration."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from .values import Listed, NotEmpty, Nullable, Section, Whole, matching


def _origin(text: str) -> str:
    if text == "*":
        return text
    try:
        url = urlsplit(text)
        is_origin = bool(url.netloc) and text == f"{url.scheme}://{url.netloc}" and "@" not in text
    except ValueError:
        is_origin = False
    if not is_origin or text.count("*") > 1 or text != text.lower() or not re.fullmatch("[!-~]+", text):
        raise ValueError(
            'must be an origin in lower case, like "https://app.example.org" without a slash at the end, '
            'with at most one *, like "https://*.example.org"; or "*" for any'
        )
    return text


Origin = Annotated[str, AfterValidator(_origin)]
_LETTER = r"[A-Za-z0-9!#$%&'+.^_`|~-]"
AllowedHeader = Annotated[
    str, matching(rf"{_LETTER}*\*?{_LETTER}*", 'the name of a header with at most one *, like "x-amz-*"')
]
ExposedHeader = Annotated[str, matching(rf"{_LETTER}+", 'the name of a header, like "ETag"')]


class CorsRuleSection(Section):
    """The first rule that fits a page's origin, method and headers answers it."""

    allowed_origins: Annotated[Listed[Origin], NotEmpty]
    allowed_methods: Annotated[Listed[Literal["PUT", "POST", "GET", "HEAD", "DELETE"]], NotEmpty]
    allowed_headers: Listed[Annotated[AllowedHeader, NotEmpty]] = ()
    expose_headers: Listed[ExposedHeader] = ()
    max_age_seconds: Nullable[Annotated[Whole, Field(ge=0, le=86_400)]] = None
