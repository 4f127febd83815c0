"""No bucket can have the name of a page of the gateway."""

from __future__ import annotations

from django.conf import settings
from django.urls import get_resolver

from mizuchi_site.config.buckets import RESERVED_NAMES


def test_first_segments_of_pages_are_no_bucket_names() -> None:
    pages = {str(pattern.pattern).partition("/")[0] for pattern in get_resolver().url_patterns}
    assert pages
    assert pages | {settings.STATIC_URL.strip("/")} <= RESERVED_NAMES
