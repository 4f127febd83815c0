"""REST framework's request, as the S3 API makes it."""

from __future__ import annotations

import gc
import weakref

from django.http import HttpRequest

from uploads.views import S3View


def test_a_request_is_gone_when_nobody_has_it() -> None:
    """Not when the collector of cycles comes, which stops all threads of a worker."""
    gc.disable()
    try:
        made = S3View().initialize_request(HttpRequest())
        reference = weakref.ref(made)
        del made
        assert reference() is None
    finally:
        gc.enable()
